/**
 * Modules of Node without their ESM facades: an import reads all of a module's names, and some of those load further modules, as `promises`
 * of fs and the parsers of util do. Those that are functions are loaded when they are used first.
 */
export const fs = process.getBuiltinModule('node:fs')
export const util = process.getBuiltinModule('node:util')
export const zlib = () => process.getBuiltinModule('node:zlib')
export const workerThreads = () => process.getBuiltinModule('node:worker_threads')
export const tls = () => process.getBuiltinModule('node:tls')
export const crypto = () => process.getBuiltinModule('node:crypto')
export const sqlite = () => process.getBuiltinModule('node:sqlite')
