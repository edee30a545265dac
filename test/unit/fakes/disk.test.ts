import { describe, expect, test } from '@jest/globals'
import { SimClock } from '../../fakes/clock.ts'
import { SimDisk } from '../../fakes/disk.ts'
import { SimRandom } from '../../fakes/random.ts'

const bytes = (text: string) => Buffer.from(text)

function diskWith(seed: number): SimDisk {
  const disk = new SimDisk({}, { random: new SimRandom(seed) })
  disk.makeDirectory('/data/t-0')
  disk.syncDirectory('/')
  disk.syncDirectory('/data')
  return disk
}

/** The file after a power loss, for many seeds; null where it is gone. */
function outcomes(prepare: (disk: SimDisk) => void | Promise<void>, path: string): Promise<(string | null)[]> {
  return Promise.all(
    Array.from({ length: 60 }, async (_, seed) => {
      const disk = diskWith(seed)
      await prepare(disk)
      disk.losePower()
      return disk.exists(path) ? Buffer.from(disk.readFile(path)).toString() : null
    }),
  )
}

describe('a power loss', () => {
  test('keeps what was synced, content and name', async () => {
    const found = await outcomes(async (disk) => {
      const file = disk.open('/data/t-0/log', 'create')
      file.write([bytes('kept')], 0)
      await file.sync()
      disk.syncDirectory('/data/t-0')
    }, '/data/t-0/log')
    expect(new Set(found)).toEqual(new Set(['kept']))
  })

  test('may lose a file whose directory was not synced', async () => {
    const found = await outcomes(async (disk) => {
      const file = disk.open('/data/t-0/log', 'create')
      file.write([bytes('kept')], 0)
      await file.sync()
    }, '/data/t-0/log')
    expect(new Set(found)).toEqual(new Set(['kept', null]))
  })

  test('loses or keeps unsynced bytes, and may leave zeros in their place', async () => {
    const found = await outcomes(async (disk) => {
      const file = disk.open('/data/t-0/log', 'create')
      disk.syncDirectory('/data/t-0')
      file.write([bytes('old ')], 0)
      await file.sync()
      file.write([bytes('new')], 4)
    }, '/data/t-0/log')
    expect(new Set(found)).toEqual(new Set(['old ', 'old new', 'old \0\0\0']))
  })

  test('tears a write at a sector, never inside one', async () => {
    const found = await outcomes((disk) => {
      const file = disk.open('/data/t-0/log', 'create')
      disk.syncDirectory('/data/t-0')
      file.write([new Uint8Array(2048).fill(65)], 0)
    }, '/data/t-0/log')
    const kept = new Set(found.map((text) => text?.replaceAll('\0', '').length))
    expect([...kept].sort((a = 0, b = 0) => a - b)).toEqual([0, 512, 1024, 1536, 2048])
  })

  test('keeps an unsynced rename whole or not at all', async () => {
    for (let seed = 0; seed < 40; seed++) {
      const disk = diskWith(seed)
      disk.open('/data/t-0/a', 'create')
      disk.syncDirectory('/data/t-0')
      disk.rename('/data/t-0/a', '/data/t-0/b')
      disk.losePower()
      expect(disk.list('/data/t-0').length).toBe(1)
    }
  })

  test('may lose a name that came after the sync of its directory began', async () => {
    const found = await outcomes(async (disk) => {
      const synced = disk.syncDirectoryAsync('/data/t-0')
      disk.open('/data/t-0/log', 'create').close()
      await synced
    }, '/data/t-0/log')
    expect(new Set(found)).toEqual(new Set(['', null]))
  })

  test('does not undo replaceFile', async () => {
    const found = await outcomes((disk) => {
      disk.replaceFile('/data/t-0/checkpoint', bytes('one'))
      disk.replaceFile('/data/t-0/checkpoint', bytes('two'))
    }, '/data/t-0/checkpoint')
    expect(new Set(found)).toEqual(new Set(['two']))
  })
})

test('kill -9 keeps everything that was written', () => {
  const disk = diskWith(1)
  const file = disk.open('/data/t-0/log', 'create')
  file.write([bytes('ab'), bytes('cd')], 0)
  disk.killProcess()
  expect(Buffer.from(disk.readFile('/data/t-0/log')).toString()).toBe('abcd')
  expect(() => file.write([bytes('x')], 0)).toThrow(expect.objectContaining({ code: 'EIO' }))
})

test('a sync under way when the process dies never settles', async () => {
  const clock = new SimClock()
  const disk = new SimDisk({ syncMsMax: 10 }, { clock })
  const file = disk.open('/log', 'create')
  let settled = false
  const mark = () => {
    settled = true
  }
  file.sync().then(mark, mark)
  disk.killProcess()
  await clock.run(100)
  expect(settled).toBe(false)
})

test('a failed fsync loses the data for good, though reads still show it', async () => {
  const disk = diskWith(3)
  const file = disk.open('/data/t-0/log', 'create')
  disk.syncDirectory('/data/t-0')
  file.write([bytes('x')], 0)
  disk.fault = (operation) => (operation === 'sync' ? 'EIO' : undefined)
  await expect(file.sync()).rejects.toMatchObject({ code: 'EIO' })
  disk.fault = undefined
  await file.sync()
  expect(Buffer.from(disk.readFile('/data/t-0/log')).toString()).toBe('x')
  disk.losePower()
  expect(Buffer.from(disk.readFile('/data/t-0/log')).toString()).not.toBe('x')
})

test('a full disk takes what fits and says ENOSPC', () => {
  const disk = new SimDisk({ capacityBytes: 10 })
  const file = disk.open('/log', 'create')
  file.write([bytes('12345678')], 0)
  expect(() => file.write([bytes('abcd')], 8)).toThrow(expect.objectContaining({ code: 'ENOSPC' }))
  expect(file.size()).toBe(10)
})

test('a lock is exclusive until it is released or its process dies', () => {
  const disk = new SimDisk()
  const lock = disk.lock('/.lock')
  expect(disk.lock('/.lock')).toBeNull()
  lock?.release()
  expect(disk.lock('/.lock')).not.toBeNull()
  disk.killProcess()
  expect(disk.lock('/.lock')).not.toBeNull()
})

test('a damaged sector differs, its neighbours do not', () => {
  const disk = diskWith(5)
  disk.open('/data/t-0/log', 'create').write([new Uint8Array(1500)], 0)
  disk.corruptSector('/data/t-0/log', 1)
  const sums = [0, 1, 2].map((sector) =>
    disk
      .readFile('/data/t-0/log')
      .subarray(sector * 512, (sector + 1) * 512)
      .reduce((sum, byte) => sum + byte, 0),
  )
  expect(sums.map((sum) => sum > 0)).toEqual([false, true, false])
  expect(disk.files('/data')).toEqual([{ path: '/data/t-0/log', size: 1500 }])
})

test('what was written stays so when the writer uses its Buffer again', async () => {
  const disk = diskWith(1)
  const file = disk.open('/data/t-0/log', 'create')
  disk.syncDirectory('/data/t-0')
  const buffer = bytes('kept')
  file.write([buffer], 0)
  buffer.fill(0)
  await file.sync()
  disk.losePower()
  expect(Buffer.from(disk.readFile('/data/t-0/log')).toString()).toBe('kept')
})
