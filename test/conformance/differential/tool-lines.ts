const CLASSES = {
  acls: 'org.apache.kafka.tools.AclCommand',
  clientMetrics: 'org.apache.kafka.tools.ClientMetricsCommand',
  configs: 'kafka.admin.ConfigCommand',
  consumerGroups: 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  consume: 'org.apache.kafka.tools.consumer.ConsoleConsumer',
  deleteRecords: 'org.apache.kafka.tools.DeleteRecordsCommand',
  elect: 'org.apache.kafka.tools.LeaderElectionCommand',
  features: 'org.apache.kafka.tools.FeatureCommand',
  groups: 'org.apache.kafka.tools.GroupsCommand',
  logDirs: 'org.apache.kafka.tools.LogDirsCommand',
  offsets: 'org.apache.kafka.tools.GetOffsetShell',
  produce: 'org.apache.kafka.tools.ConsoleProducer',
  quorum: 'org.apache.kafka.tools.MetadataQuorumCommand',
  reassign: 'org.apache.kafka.tools.reassign.ReassignPartitionsCommand',
  transactions: 'org.apache.kafka.tools.TransactionsCommand',
  topics: 'org.apache.kafka.tools.TopicCommand',
} as const

/** A tool, and what it is called with, line by line. */
type Lines = readonly [tool: keyof typeof CLASSES, ...lines: readonly string[]]

/** A run of a tool. */
export interface ToolLine {
  readonly className: string
  readonly line: string
}

/** What is written to the standard input of tools that read it. */
export const TYPED = Array.from({ length: 6 }, (_, index) => `k${index}\tv${index}\n`).join('')

/** Files that lines name, with an @ before the name. */
export const FILES: Readonly<Record<string, string>> = {
  'retention.properties': 'retention.ms=12345\nmax.message.bytes=54321\n',
  'topics.json': '{"version":1,"topics":[{"topic":"tool.a"}]}',
  'absent-topics.json': '{"version":1,"topics":[{"topic":"absent"}]}',
  'same.json': assignment('tool.a', [1]),
  'unknown-broker.json': assignment('tool.a', [9]),
  'twice.json': assignment('tool.a', [1, 1]),
  'no-replicas.json': assignment('tool.a', []),
  'absent.json': assignment('absent', [1]),
  'broken.json': '{',
  'delete.json': '{"version":1,"partitions":[{"topic":"tool.a","partition":0,"offset":2}]}',
  'delete-beyond.json': '{"version":1,"partitions":[{"topic":"tool.a","partition":0,"offset":99}]}',
  'reset.csv': '"tool.a",0,4\n',
}

function assignment(topic: string, replicas: readonly number[]): string {
  return JSON.stringify({ version: 1, partitions: [{ topic, partition: 0, replicas }] })
}

const TOPIC = '--entity-type topics --entity-name tool.a'
const DEFAULTS = '--entity-type brokers --entity-default'
const RESET = '--reset-offsets --group tools --topic tool.a'

const PLAN: readonly Lines[] = [
  [
    'topics',
    '--create --topic tool.a --partitions 1 --replication-factor 1',
    '--create --topic tool.a',
    '--create --topic tool.a --if-not-exists',
    '--create --topic tool_a',
    '--create --topic tool.b --replica-assignment 1,1 --config retention.ms=1000',
    '--create --topic tool.c --partitions 0',
    '--create --topic tool.c --replication-factor 2',
    '--create --topic tool.c --replica-assignment 1:1',
    '--create --topic tool.c --replica-assignment 9',
    '--create --topic tool.c --config no.such.key=1',
    '--create --topic tool.c --config retention.ms=-2',
    '--create --topic tool.c --config cleanup.policy=bogus',
    '--create --topic ..',
    '--create --topic tool/c',
    '--create --topic __cluster_metadata',
    '--alter --topic tool.b --partitions 3',
    '--alter --topic tool.b --partitions 3',
    '--alter --topic tool.b --partitions 1',
    '--alter --topic tool.b --partitions 4 --replica-assignment 1,1,1,9',
    '--alter --topic absent --partitions 2',
    '--alter --topic absent --partitions 2 --if-exists',
    '--describe --topic tool.*',
    '--describe --topic tool.* --topics-with-overrides',
    '--describe --topic tool.b --partition-size-limit-per-response 2',
    '--describe --topic tool.* --under-replicated-partitions',
    '--describe --topic tool.* --unavailable-partitions',
    '--describe --topic tool.a --at-min-isr-partitions',
    '--describe --topic tool.a --under-min-isr-partitions',
    '--describe --topic absent',
    '--describe --topic-id 7Qe2zNKfRJm3hT8nq2mWZA',
    '--delete --topic absent',
    '--delete --topic __cluster_metadata',
    '--list --topic tool.*',
  ],
  [
    'configs',
    `${TOPIC} --alter --add-config retention.ms=5000,cleanup.policy=[compact,delete]`,
    `${TOPIC} --alter --add-config no.such.key=1`,
    `${TOPIC} --alter --add-config retention.ms=soon`,
    `${TOPIC} --alter --add-config compression.type=gzip,compression.gzip.level=10`,
    `${TOPIC} --alter --delete-config segment.ms`,
    `${TOPIC} --describe`,
    `${TOPIC} --describe --all`,
    `${TOPIC} --alter --delete-config retention.ms,cleanup.policy`,
    `${TOPIC} --alter --add-config-file @retention.properties`,
    `${TOPIC} --describe`,
    '--topic absent --describe',
    '--topic absent --alter --add-config retention.ms=5',
    `${DEFAULTS} --alter --add-config message.max.bytes=3000000,log.cleaner.threads=2`,
    '--broker 1 --alter --add-config message.max.bytes=2000000',
    `${DEFAULTS} --describe`,
    '--broker 1 --describe',
    '--broker 1 --alter --add-config node.id=5',
    '--broker x --describe',
    '--broker-logger 1 --alter --add-config root=ERROR',
    '--broker-logger 1 --alter --add-config root=loud',
    '--broker-logger 1 --alter --add-config no.such.logger=WARN',
    '--broker-logger 1 --alter --delete-config root',
    `${DEFAULTS} --alter --add-config num.io.threads=0`,
    '--broker 1 --alter --add-config ssl.client.auth=maybe',
    '--broker 1 --alter --add-config ssl.keystore.type=PEM',
    '--broker 1 --alter --delete-config message.max.bytes',
    `${DEFAULTS} --alter --delete-config message.max.bytes,log.cleaner.threads`,
    '--client-metrics one --alter --add-config interval.ms=1000,match=[client_id=a]',
    '--client-metrics one --alter --add-config interval.ms=1',
    '--client-metrics one --describe',
    '--group one --alter --add-config consumer.session.timeout.ms=46000',
    '--group one --alter --add-config consumer.session.timeout.ms=1',
    '--group one --describe',
  ],
  ['clientMetrics', '--list', '--delete --name one', '--delete --name absent', '--describe --name absent'],
  ['produce', '--topic tool.a --reader-property parse.key=true --sync --timeout 5'],
  [
    'consume',
    '--topic tool.a --partition 0 --offset 3 --max-messages 2 --formatter-property print.offset=true',
    '--topic tool.a --from-beginning --max-messages 6 --formatter-property print.key=true',
  ],
  [
    'offsets',
    '--topic-partitions tool.a:0,tool.b',
    ...['earliest', 'latest', 'earliest-local', 'latest-tiered', '-6', '-7', '1', 'bogus'].map(
      (time) => `--topic tool.a --time ${time}`,
    ),
    '--topic absent',
  ],
  [
    'consumerGroups',
    ...['--to-offset 3', '--to-offset 99', '--shift-by -9', '--to-latest', '--by-duration PT1H'].map(
      (to) => `${RESET} ${to} --dry-run`,
    ),
    `${RESET} --to-offset 2 --execute`,
    `${RESET}:9 --to-offset 2 --execute`,
    '--reset-offsets --group tools --from-file @reset.csv --execute',
    '--describe --group tools',
    '--describe --group tools --state',
    '--describe --group tools --members --verbose',
    '--describe --group absent',
    '--list --state bogus-state',
    '--delete-offsets --group tools --topic tool.b',
    '--delete-offsets --group absent --topic tool.a',
    '--delete --group absent',
  ],
  ['groups', '--list --share', '--list --group-type bogus'],
  ['consumerGroups', '--delete --group tools'],
  ['deleteRecords', '--offset-json-file @delete.json', '--offset-json-file @delete-beyond.json'],
  [
    'reassign',
    '--topics-to-move-json-file @topics.json --broker-list 1 --generate',
    '--topics-to-move-json-file @absent-topics.json --broker-list 1 --generate',
    '--topics-to-move-json-file @topics.json --broker-list 1,9 --generate',
    ...['same', 'unknown-broker', 'twice', 'no-replicas', 'absent', 'broken'].map(
      (name) => `--reassignment-json-file @${name}.json --execute`,
    ),
    '--reassignment-json-file @same.json --verify',
    '--reassignment-json-file @absent.json --verify',
    '--reassignment-json-file @same.json --cancel',
    '--list',
  ],
  [
    'elect',
    '--election-type preferred --topic tool.a --partition 0',
    '--election-type unclean --topic tool.a --partition 0',
    '--election-type preferred --topic absent --partition 0',
  ],
  ['logDirs', '--describe --topic-list tool.a', '--describe --broker-list 9'],
  ['quorum', 'remove-controller --controller-id 9 --controller-directory-id AAAAAAAAAAAAAAAAAAAAAQ'],
  [
    'features',
    'upgrade --feature no.such.feature=1',
    'upgrade --metadata 3.9',
    'downgrade --metadata 3.9 --unsafe',
    'upgrade --feature kraft.version=2',
    'downgrade --feature kraft.version=0',
    'disable --feature metadata.version',
    'disable --feature no.such.feature --unsafe',
  ],
  [
    'transactions',
    'describe-producers --topic tool.b --partition 0 --broker-id 1',
    'find-hanging --topic tool.b',
    'find-hanging --broker-id 1',
  ],
  [
    'acls',
    '--list',
    '--add --allow-principal User:a --operation Read --topic tool.a',
    '--remove --allow-principal User:a --operation Read --topic tool.a --force',
  ],
  ['topics', '--delete --topic tool.b', '--delete --topic tool.a'],
]

export const TOOL_LINES: readonly ToolLine[] = PLAN.flatMap(([tool, ...lines]) =>
  lines.map((line) => ({ className: CLASSES[tool], line })),
)
