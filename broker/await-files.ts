import { readFileSync } from 'node:fs'

/** Kubernetes replaces the files of a downwardAPI volume behind symbolic links, which a watch would not see on every file system. */
const POLL_MS = 100

function isWritten(file: string): boolean {
  try {
    return readFileSync(file).length > 0
  } catch {
    return false
  }
}

/** `node broker/await-files.ts FILE...`: ends when none of them is empty or missing any more. */
const files = process.argv.slice(2)
process.once('SIGTERM', () => process.exit(143))
while (!files.every(isWritten)) await new Promise((wake) => setTimeout(wake, POLL_MS))
