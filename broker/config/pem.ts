/** One block of a PEM file. */
interface PemBlock {
  /** `CERTIFICATE`, `EC PRIVATE KEY`, … */
  readonly label: string
  /** The block in OpenSSL's layout. */
  readonly text: string
}

/** Headers of an encrypted key (RFC 1421) are lines of their own; what follows is base64 with any white space. */
const BLOCK = /-+BEGIN\s+([A-Z0-9 ]+?)\s*-+\s*((?:[\w-]+:[^\r\n]*\r?\n)*)([A-Za-z0-9+/=\s]*)-+END\s+\1\s*-+/g
const LINE = /.{1,64}/g

/** The private keys and certificates in `text`, also where they were put on one line, as values of server.properties are. */
export function pemBlocks(text: string): readonly PemBlock[] {
  return [...text.matchAll(BLOCK)].map(([, label = '', headers = '', body = '']) => {
    const lines = body.replaceAll(/\s/g, '').match(LINE) ?? []
    const head = headers === '' ? '' : `${headers.trimEnd()}\n\n`
    return { label, text: `-----BEGIN ${label}-----\n${head}${lines.join('\n')}\n-----END ${label}-----\n` }
  })
}

/** The certificates in `text`, in their order; empty where there are none. */
export function pemCertificates(text: string): string {
  const certificates = pemBlocks(text).filter(({ label }) => label === 'CERTIFICATE')
  return certificates.map((block) => block.text).join('')
}

/** The first private key in `text`; empty where there is none. */
export function pemPrivateKey(text: string): string {
  return pemBlocks(text).find(({ label }) => label.endsWith('PRIVATE KEY'))?.text ?? ''
}
