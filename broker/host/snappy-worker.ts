import { parentPort } from 'node:worker_threads'
import { CodecError } from '../env/compute.ts'
import { compressSnappy, decompressSnappy } from './snappy.ts'
import type { SnappyJob, SnappyResult } from './snappy-thread.ts'

/** The thread of SnappyThread: one message in, one out. A bug ends the thread, and its jobs with it. */
parentPort?.on('message', (job: SnappyJob) => parentPort?.postMessage(perform(job), []))

function perform(job: SnappyJob): SnappyResult {
  try {
    const bytes = job.kind === 'compress' ? compressSnappy(job.data) : decompressSnappy(job.data, job.maxBytes)
    return { id: job.id, bytes }
  } catch (error) {
    if (error instanceof CodecError) return { id: job.id, error: error.message }
    throw error
  }
}
