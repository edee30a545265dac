import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BROKER_KEYS, brokerSynonyms } from '../../broker/config/broker-keys.ts'
import { brokerDocumentation, otherDocumentation, topicDocumentation } from '../../broker/config/documentation.ts'
import { CLIENT_METRICS_KEYS, GROUP_KEYS } from '../../broker/config/group-keys.ts'
import { REQUIRED } from '../../broker/config/key.ts'
import type { ConfigKey } from '../../broker/config/key.ts'
import { topicSynonym } from '../../broker/config/topic-config.ts'
import { TOPIC_KEYS } from '../../broker/config/topic-keys.ts'

const INTRODUCTION = `# Configuration

Generated from the tables in \`broker/config\` by \`node test/tools/configuration-page.ts\`; a test checks that it is up to date.

\`server.properties\` has the syntax and the keys of Apache Kafka 4.3. An unknown key warns; a bad value stops the broker and names the
key, the value and what is allowed. *Changed by* says who may change a key at run time: \`read-only\` needs a restart, \`cluster-wide\` keys can be set
for all brokers or for one, \`per-broker\` keys for one only.

Values may have variables of Apache Kafka's config providers (KIP-297), such as \`\${dir:/etc/kafka/tls:tls.key}\` with \`config.providers=dir\` and
\`config.providers.dir.class=org.apache.kafka.common.config.provider.DirectoryConfigProvider\`; there are the directory, file and environment variable providers.
Providers are those of \`server.properties\`, for what is set at run time too.
A key of TLS applies to one listener as \`listener.name.<name>.<key>\`, the name in lower case.
`

/** The text of docs/configuration.md. */
export function configurationPage(): string {
  return [
    INTRODUCTION,
    section('Broker', 'In `server.properties`.', BROKER_KEYS, brokerDocumentation, ({ name }) =>
      brokerSynonyms(name).slice(1),
    ),
    section(
      'Topic',
      'Set by topic; the default is that of the broker key.',
      TOPIC_KEYS,
      topicDocumentation,
      ({ name }) => {
        const synonym = topicSynonym(name)
        return synonym === undefined ? [] : [synonym]
      },
    ),
    section(
      'Group',
      'Set by group; the default is that of the broker key `group.` + name.',
      GROUP_KEYS,
      otherDocumentation,
      () => [],
    ),
    section('Client metrics', 'Set by subscription (KIP-714).', CLIENT_METRICS_KEYS, otherDocumentation, () => []),
  ].join('\n')
}

function section(
  title: string,
  introduction: string,
  keys: readonly ConfigKey[],
  documentation: (name: string) => string | null,
  fallbacks: (key: ConfigKey) => readonly string[],
): string {
  const rows = [...keys]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((key) => row(key, documentation(key.name), fallbacks(key)))
  const header =
    '| key | meaning | type | default | allowed | changed by | falls back to |\n| --- | --- | --- | --- | --- | --- | --- |'
  return `## ${title}\n\n${introduction}\n\n${header}\n${rows.join('\n')}\n`
}

function row(key: ConfigKey, documentation: string | null, fallbacks: readonly string[]): string {
  const cells = [
    code(key.name),
    documentation ?? '',
    key.type,
    defaultCell(key),
    key.validator === undefined ? '' : code(key.validator.allowed),
    key.dynamic,
    fallbacks.map(code).join(', '),
  ]
  return `| ${cells.join(' | ')} |`
}

function defaultCell(key: ConfigKey): string {
  if (key.default === REQUIRED) return '(required)'
  return key.default === null || key.default === '' ? '' : code(key.default)
}

function code(text: string): string {
  return `\`${text}\``
}

if (import.meta.main) {
  writeFileSync(join(import.meta.dirname, '..', '..', 'docs', 'configuration.md'), configurationPage())
}
