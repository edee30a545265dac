import { describe, expect, test } from '@jest/globals'
import { type Disk, DiskError, type File } from '../../../broker/env/disk.ts'
import { OpenFiles } from '../../../broker/storage/open-files.ts'
import { SimDisk } from '../../fakes/disk.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

function bed(options: { readonly max: number; readonly openFilesMax?: number }) {
  const { max, openFilesMax = 1000 } = options
  const disk = new SimDisk({ openFilesMax })
  disk.makeDirectory('/data')
  return { disk, files: new OpenFiles({ max }, { disk }) }
}

/** Files with their own name in them, synced. */
async function namedFiles(files: OpenFiles, count: number) {
  const named = Array.from({ length: count }, (_, index) => files.create(`/data/${index}`))
  for (const file of named) {
    file.write([bytes(file.path)], 0)
    await file.sync()
  }
  return named
}

async function readAll(file: { readAsync(target: Uint8Array, position: number): Promise<number> }) {
  const target = new Uint8Array(100)
  return new TextDecoder().decode(target.subarray(0, await file.readAsync(target, 0)))
}

describe('many files', () => {
  test('are read and written with few of them open', async () => {
    const { disk, files } = bed({ max: 5 })
    const named = await namedFiles(files, 50)
    for (const file of named) expect(await readAll(file)).toBe(file.path)
    expect(disk.openFiles).toBeLessThanOrEqual(5)
  })

  test('that are new and empty are closed without being synced', () => {
    const { disk, files } = bed({ max: 5 })
    for (let index = 0; index < 50; index++) files.create(`/data/${index}`)
    expect([disk.openFiles, disk.counts.sync]).toEqual([5, 0])
  })

  test('stay open where they are used most', async () => {
    const { disk, files } = bed({ max: 5 })
    const named = await namedFiles(files, 20)
    const [busy] = named
    const before = disk.counts.open
    for (let round = 0; round < 3; round++) {
      for (const file of named.slice(1)) {
        await busy?.readAsync(new Uint8Array(1), 0)
        await file.readAsync(new Uint8Array(1), 0)
      }
    }
    // The others: each time.
    expect(disk.counts.open - before).toBeLessThanOrEqual(3 * 19 + 3)
  })

  test('that were written to are synced before they are closed', async () => {
    const { disk, files } = bed({ max: 5 })
    const named = Array.from({ length: 50 }, (_, index) => files.create(`/data/${index}`))
    for (const path of ['/', '/data']) disk.syncDirectory(path)
    for (const file of named) {
      file.write([bytes(file.path)], 0)
      await new Promise((resolve) => void setTimeout(resolve, 0))
    }
    expect(disk.openFiles).toBeLessThanOrEqual(6)
    disk.losePower()
    const lost = named.filter(({ path }) => new TextDecoder().decode(disk.readFile(path)) !== path)
    expect(lost.length).toBeLessThanOrEqual(6)
  })
})

test('what is synced already costs no sync, and what was found does', async () => {
  const { disk, files } = bed({ max: 5 })
  await namedFiles(files, 1)
  const file = files.existing('/data/0')
  const before = disk.counts.sync
  await file.sync()
  await file.sync()
  expect(disk.counts.sync - before).toBe(1)
})

test('a failed sync behind the back of the writer is told at the next operation', async () => {
  const { disk, files } = bed({ max: 1 })
  const [file] = await namedFiles(files, 1)
  file?.write([bytes('more')], 0)
  disk.fault = (operation) => (operation === 'sync' ? 'EIO' : undefined)
  files.create('/data/other')
  files.create('/data/another')
  await new Promise((resolve) => void setTimeout(resolve, 0))
  disk.fault = undefined
  await expect(file?.sync()).rejects.toMatchObject({ code: 'EIO' })
  expect(() => file?.write([bytes('more')], 0)).toThrow(DiskError)
})

/** A file whose end its disk fails. */
function closingBadly(file: File): File {
  const close = (): never => {
    file.close()
    throw new DiskError('EIO', file.path, 'EIO: close')
  }
  return {
    path: file.path,
    size: () => file.size(),
    write: (buffers, position) => file.write(buffers, position),
    read: (target, position) => file.read(target, position),
    readAsync: (target, position) => file.readAsync(target, position),
    readToSend: (size, position) => file.readToSend(size, position),
    sync: () => file.sync(),
    truncate: (size) => file.truncate(size),
    close,
  }
}

test('a file that cannot be closed is not the fault of the one that is opened', async () => {
  const { disk } = bed({ max: 1 })
  const failures: string[] = []
  const open: Disk['open'] = (path, mode) =>
    path === '/data/0' ? closingBadly(disk.open(path, mode)) : disk.open(path, mode)
  const files = new OpenFiles({ max: 1 }, { disk: { open }, onFailure: ({ path }) => failures.push(path) })
  const [first] = await namedFiles(files, 1)
  const other = files.create('/data/1')
  other.write([bytes('x')], 0)
  expect([failures, disk.openFiles]).toEqual([['/data/0'], 1])
  expect(() => first?.reserve()).toThrow(expect.objectContaining({ code: 'EIO', path: '/data/0' }))
})

describe('where the process may open no more', () => {
  test('others are closed for it', async () => {
    const { disk, files } = bed({ max: 100, openFilesMax: 10 })
    const named = await namedFiles(files, 30)
    expect(await readAll(named[0] as never)).toBe('/data/0')
    expect(disk.openFiles).toBeLessThanOrEqual(10)
  })

  test('and nothing can be closed, that is said and nothing is broken', async () => {
    const { disk, files } = bed({ max: 100, openFilesMax: 3 })
    const [file] = await namedFiles(files, 1)
    file?.reserve()
    const others = [disk.open('/data/x', 'create'), disk.open('/data/y', 'create')]
    expect(() => files.create('/data/1')).toThrow(expect.objectContaining({ code: 'EMFILE' }))
    others[0]?.close()
    files.create('/data/1')
    file?.write([bytes('as reserved')], 0)
    expect(await readAll(file as never)).toBe('as reserved')
  })
})

test('a file is closed when its last operation has ended', async () => {
  const { disk, files } = bed({ max: 5 })
  const [file] = await namedFiles(files, 1)
  const read = readAll(file as never)
  file?.close()
  expect(disk.openFiles).toBe(1)
  expect(await read).toBe('/data/0')
  expect(disk.openFiles).toBe(0)
})
