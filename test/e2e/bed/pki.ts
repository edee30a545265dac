import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../tools/run.ts'
import { writeConfig } from './daemon.ts'
import { RUN } from './layout.ts'

const PKI = join(RUN, 'pki')
const DAYS = '3650'

/** A file of the public key infrastructure, such as `ca.crt`. */
export function pkiFile(name: string): string {
  return join(PKI, name)
}

/** Makes the certificate authority and the key pair that signs service account tokens. */
export async function makeAuthority(): Promise<void> {
  if (existsSync(pkiFile('sa.pub'))) return
  mkdirSync(PKI, { recursive: true, mode: 0o700 })
  await newKey('ca')
  const extensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,digitalSignature']
  const subject = ['-subj', '/CN=ottla-test-ca', '-days', DAYS]
  const added = extensions.flatMap((extension) => ['-addext', extension])
  await openssl('req', '-x509', '-new', '-key', pkiFile('ca.key'), ...subject, ...added, '-out', pkiFile('ca.crt'))
  await openssl('genrsa', '-out', pkiFile('sa.key'), '2048')
  await openssl('rsa', '-in', pkiFile('sa.key'), '-pubout', '-out', pkiFile('sa.pub'))
}

/** Makes `<name>.key` and `<name>.crt`. `subject` is openssl's: `/O=group/CN=user`. */
export async function makeCertificate(
  name: string,
  subject: string,
  alternativeNames: readonly string[] = [],
): Promise<void> {
  if (existsSync(pkiFile(`${name}.crt`))) return
  await newKey(name)
  const lines = ['keyUsage=critical,digitalSignature,keyEncipherment', 'extendedKeyUsage=serverAuth,clientAuth']
  if (alternativeNames.length > 0) lines.push(`subjectAltName=${alternativeNames.join(',')}`)
  writeFileSync(pkiFile(`${name}.ext`), `${lines.join('\n')}\n`)
  await openssl('req', '-new', '-key', pkiFile(`${name}.key`), '-subj', subject, '-out', pkiFile(`${name}.csr`))
  const authority = ['-CA', pkiFile('ca.crt'), '-CAkey', pkiFile('ca.key'), '-set_serial', `0x${serialOf(name)}`]
  const request = ['-req', '-in', pkiFile(`${name}.csr`), '-extfile', pkiFile(`${name}.ext`)]
  await openssl('x509', ...request, ...authority, '-days', DAYS, '-out', pkiFile(`${name}.crt`))
}

/** Writes a kubeconfig with the certificate of the name `name`. JSON is YAML. */
export function writeKubeconfig(path: string, name: string, control: string): void {
  const encoded = (file: string): string => readFileSync(pkiFile(file)).toString('base64')
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'ottla', cluster: { server: apiUrl(control), 'certificate-authority-data': encoded('ca.crt') } },
    ],
    users: [
      {
        name,
        user: { 'client-certificate-data': encoded(`${name}.crt`), 'client-key-data': encoded(`${name}.key`) },
      },
    ],
    contexts: [{ name: 'ottla', context: { cluster: 'ottla', user: name } }],
    'current-context': 'ottla',
  }
  writeConfig(path, JSON.stringify(config, null, 2))
  chmodSync(path, 0o600)
}

function apiUrl(control: string): string {
  return `https://${control}:6443`
}

async function newKey(name: string): Promise<void> {
  await openssl('ecparam', '-genkey', '-name', 'prime256v1', '-noout', '-out', pkiFile(`${name}.key`))
}

/** Different for each name, and never negative. */
function serialOf(name: string): string {
  return `01${Buffer.from(name).toString('hex').slice(0, 36)}`
}

async function openssl(...args: string[]): Promise<void> {
  await run('openssl', args)
}
