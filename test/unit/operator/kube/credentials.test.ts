import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { credentialsOf } from '../../../../operator/kube/credentials.ts'

function withDirectory<T>(body: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'credentials-'))
  return body(directory).finally(() => rmSync(directory, { recursive: true }))
}

const POD = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '6443', HOME: '/nonexistent' }

test('a pod asks with the token of its service account, as it is now', () =>
  withDirectory(async (root) => {
    writeFileSync(join(root, 'ca.crt'), 'authority')
    writeFileSync(join(root, 'token'), 'first\n')
    const credentials = await credentialsOf(POD, root)
    const { server } = credentials
    const options = () => credentials.options()
    expect(server).toBe('https://10.0.0.1:6443')
    expect(await options()).toEqual({ ca: 'authority', headers: { authorization: 'Bearer first' } })
    writeFileSync(join(root, 'token'), 'second')
    expect(await options()).toMatchObject({ headers: { authorization: 'Bearer second' } })
  }))

test('an IPv6 address is in brackets', () =>
  withDirectory(async (root) => {
    writeFileSync(join(root, 'ca.crt'), '')
    writeFileSync(join(root, 'token'), 't')
    const { server } = await credentialsOf({ ...POD, KUBERNETES_SERVICE_HOST: 'fd00::1' }, root)
    expect(server).toBe('https://[fd00::1]:6443')
  }))
