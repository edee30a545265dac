import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Disk } from '../../../broker/env/disk.ts'
import { NodeDisk } from '../../../broker/host/disk.ts'
import { SimDisk } from '../../fakes/disk.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ottla-disk-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const bytes = (text: string) => Buffer.from(text)
const error = (code: string) => expect.objectContaining({ code })

function fakeDisk(): Disk {
  const disk = new SimDisk()
  disk.makeDirectory(root)
  return disk
}

// The simulated disk must behave as the real one, or what is tested on it proves nothing.
describe.each([
  ['NodeDisk', () => new NodeDisk()],
  ['SimDisk', fakeDisk],
])('%s', (_, create: () => Disk) => {
  test('writes several buffers in order and reads them back', async () => {
    const file = create().open(join(root, 'f'), 'create')
    file.write([bytes('ab'), bytes(''), bytes('cde')], 0)
    file.write([bytes('X')], 1)
    const target = new Uint8Array(10)
    expect(file.size()).toBe(5)
    expect(file.read(target, 1)).toBe(4)
    expect(Buffer.from(target.subarray(0, 4)).toString()).toBe('Xcde')
    expect(await file.readAsync(target, 3)).toBe(2)
    expect(file.read(target, 99)).toBe(0)
    await file.sync()
    file.close()
  })

  test('reads and writes past the end leave zeros between', () => {
    const file = create().open(join(root, 'f'), 'openOrCreate')
    file.write([bytes('z')], 3)
    file.truncate(6)
    const target = new Uint8Array(8).fill(9)
    expect(file.read(target, 0)).toBe(6)
    expect([...target]).toEqual([0, 0, 0, 122, 0, 0, 9, 9])
  })

  test('open modes say what must be there', () => {
    const disk = create()
    expect(() => disk.open(join(root, 'f'), 'open')).toThrow(error('ENOENT'))
    expect(() => disk.open(join(root, 'f'), 'read')).toThrow(error('ENOENT'))
    disk.open(join(root, 'f'), 'create').close()
    expect(() => disk.open(join(root, 'f'), 'create')).toThrow(error('EEXIST'))
    expect(() => disk.open(join(root, 'none', 'f'), 'create')).toThrow(error('ENOENT'))
  })

  test('lists, renames and removes', async () => {
    const disk = create()
    disk.makeDirectory(join(root, 'a', 'b'))
    disk.makeDirectory(join(root, 'a', 'b'))
    disk.replaceFile(join(root, 'a', 'f'), bytes('1'))
    disk.rename(join(root, 'a', 'f'), join(root, 'a', 'g'))
    disk.rename(join(root, 'a', 'b'), join(root, 'a', 'c'))
    const names = disk.list(join(root, 'a')).map(({ name, kind }) => `${kind} ${name}`)
    expect(names.sort()).toEqual(['directory c', 'file g'])
    disk.syncDirectory(join(root, 'a'))
    await disk.syncDirectoryAsync(join(root, 'a'))
    await expect(disk.syncDirectoryAsync(join(root, 'none'))).rejects.toMatchObject({ code: 'ENOENT' })
    disk.remove(join(root, 'a'))
    disk.remove(join(root, 'a'))
    expect(disk.exists(join(root, 'a'))).toBe(false)
    expect(() => disk.list(join(root, 'a'))).toThrow(error('ENOENT'))
    expect(() => disk.rename(join(root, 'x'), join(root, 'y'))).toThrow(error('ENOENT'))
  })

  test('replaces a file and keeps its modification time when told', () => {
    const disk = create()
    const path = join(root, 'f')
    disk.replaceFile(path, bytes('old content'))
    disk.replaceFile(path, bytes('new'))
    disk.setModifiedMs(path, 1_600_000_000_123)
    expect(Buffer.from(disk.readFile(path)).toString()).toBe('new')
    expect(disk.modifiedMs(path)).toBe(1_600_000_000_123)
    expect(disk.space(root).usableBytes).toBeGreaterThan(0)
  })

  test('a lock is held until its release', () => {
    const disk = create()
    const lock = disk.lock(join(root, '.lock'))
    expect(disk.lock(join(root, '.lock'))).toBeNull()
    lock?.release()
    expect(disk.lock(join(root, '.lock'))).not.toBeNull()
  })
})

test('more buffers than one writev takes', () => {
  const file = new NodeDisk().open(join(root, 'f'), 'create')
  file.write(
    Array.from({ length: 3000 }, (_, i) => bytes(String(i % 10))),
    0,
  )
  expect(file.size()).toBe(3000)
})

const REMOVE_WITHOUT_DESCRIPTORS = `
  const fs = process.getBuiltinModule('node:fs')
  const { NodeDisk } = await import(process.argv[1])
  const attempt = (work) => { try { work(); return 'done' } catch (error) { return error.code } }
  const disk = new NodeDisk()
  const taken = []
  while (attempt(() => taken.push(fs.openSync('/dev/null'))) === 'done');
  const outcomes = process.argv.slice(2).map((path) => attempt(() => disk.remove(path)))
  for (const fd of taken) fs.closeSync(fd)
  console.log(outcomes.join())`

test('too many open files are told as that, and hinder no removal of a file', () => {
  mkdirSync(join(root, 'directory'))
  writeFileSync(join(root, 'file'), '')
  const node = [process.execPath, '--no-warnings', '--input-type=module', '-e', REMOVE_WITHOUT_DESCRIPTORS]
  const args = [
    new URL('../../../broker/host/disk.ts', import.meta.url).href,
    root + '/file',
    root + '/directory',
    root,
  ]
  const env = { ...process.env, NODE_OPTIONS: '' }
  const output = execFileSync('sh', ['-c', 'ulimit -n 64 && exec "$@"', 'sh', ...node, ...args], {
    encoding: 'utf8',
    env,
  })
  expect(output.trim()).toBe('done,EMFILE,EMFILE')
})

test('a directory goes with all in it, but not what a link in it leads to', () => {
  mkdirSync(join(root, 'a', 'b'), { recursive: true })
  for (const name of ['a/f', 'a/b/f', 'kept']) writeFileSync(join(root, name), '')
  symlinkSync(join(root, 'kept'), join(root, 'a', 'b', 'link'))
  symlinkSync(root, join(root, 'a', 'up'))
  new NodeDisk().remove(join(root, 'a'))
  expect(readdirSync(root)).toEqual(['kept'])
})

test('what cannot be looked at is not taken for missing', () => {
  writeFileSync(join(root, 'file'), '')
  const disk = new NodeDisk()
  expect(disk.exists(join(root, 'none'))).toBe(false)
  expect(disk.exists(join(root, 'file'))).toBe(true)
  const circle = join(root, 'circle')
  symlinkSync(circle, circle)
  expect(() => disk.exists(circle)).toThrow(error('OTHER'))
})

test('what was just written is read to be sent as what is old is', async () => {
  const file = new NodeDisk().open(join(root, 'recent'), 'create')
  const old = Buffer.alloc(9 * 1024 * 1024, 1)
  file.write([old, Buffer.from('new')], 0)
  expect(Buffer.from(await file.readToSend(100, old.length)).toString()).toBe('new')
  expect([...(await file.readToSend(2, 0))]).toEqual([1, 1])
  expect((await file.readToSend(100, old.length + 3)).length).toBe(0)
  file.close()
})
