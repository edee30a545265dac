/** One block of a PEM file. */
interface PemBlock {
  /** `CERTIFICATE`, `EC PRIVATE KEY`, … */
  readonly label: string
  /** The block in OpenSSL's layout. */
  readonly text: string
}

// None of these has two ways to read the same text: values come from clients too, and a pattern that tries them all keeps the event loop for hours.
const MARKER = /-(BEGIN|END)\s+([A-Z0-9]+(?: +[A-Z0-9]+)*)\s*(?=-)/g
const DASHES_AROUND = /^-+|(?<!-)-+$/g
/** Headers of an encrypted key (RFC 1421) are lines of their own; what follows is base64 with any white space. */
const CONTENT = /^((?:[\w-]+:[^\r\n]*\r?\n)*)([A-Za-z0-9+/=\s]*)$/
const LINE = /.{1,64}/g

/** The private keys and certificates in `text`, also where they were put on one line, as values of server.properties are. */
export function pemBlocks(text: string): readonly PemBlock[] {
  const blocks: PemBlock[] = []
  let begin: RegExpExecArray | undefined
  for (const marker of text.matchAll(MARKER)) {
    const block = begin === undefined ? undefined : blockBetween(text, begin, marker)
    if (block !== undefined) blocks.push(block)
    begin = marker[1] === 'BEGIN' ? marker : undefined
  }
  return blocks
}

/** Undefined where they are not the two ends of a block. */
function blockBetween(text: string, begin: RegExpExecArray, end: RegExpExecArray): PemBlock | undefined {
  const [, kind, label = ''] = end
  if (kind !== 'END' || begin[2] !== label) return undefined
  const content = text
    .slice(begin.index + begin[0].length, end.index)
    .replaceAll(DASHES_AROUND, '')
    .trimStart()
  const [whole, headers = '', body = ''] = CONTENT.exec(content) ?? []
  if (whole === undefined) return undefined
  const lines = body.replaceAll(/\s/g, '').match(LINE) ?? []
  const head = headers === '' ? '' : `${headers.trimEnd()}\n\n`
  return { label, text: `-----BEGIN ${label}-----\n${head}${lines.join('\n')}\n-----END ${label}-----\n` }
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
