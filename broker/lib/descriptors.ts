/** More log files are not kept open, although the process might: each holds memory of the kernel. */
const LOG_FILES_MAX = 32_768
/** For what has a file open for a moment: checkpoints, snapshots, and connections to others. */
const RESERVED = 64

/** Who may have how many of the files and sockets that a process may have open. */
export interface DescriptorShares {
  readonly logFiles: number
  /** Connections that were accepted. */
  readonly connections: number
}

/** Logs get three quarters, as far as they can use them. Each gets at least one. */
export function shareDescriptors(processMax: number): DescriptorShares {
  const logFiles = Math.max(1, Math.min(LOG_FILES_MAX, Math.floor(processMax * 0.75)))
  return { logFiles, connections: Math.max(1, processMax - logFiles - RESERVED) }
}
