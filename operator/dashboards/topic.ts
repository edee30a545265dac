import { type DashboardSpec, lines, number, query } from './spec.ts'
import { CLUSTER_VARIABLES, OF_CLUSTER, TOPIC } from './variables.ts'

const OF_TOPICS = `${OF_CLUSTER},topic=~"$topic",topic!=""`

/** What goes through a topic, and what is kept of it? */
export const TOPIC_DASHBOARD: DashboardSpec = {
  uid: 'ottla-kafka-topic',
  title: 'Kafka / Topic',
  description: 'Topics of a Kafka cluster: what goes through each, and what is kept of it?',
  variables: [...CLUSTER_VARIABLES, TOPIC],
  rows: [
    {
      title: 'Partitions',
      panels: [
        number('Topics', `count(kafka_topic_partitions{${OF_TOPICS}})`),
        number('Partitions', `sum(kafka_topic_partitions{${OF_TOPICS}})`),
        number('Replicas', `sum(kafka_topic_partition_replicas{${OF_TOPICS}})`),
        number('In sync', `sum(kafka_topic_partition_in_sync_replica{${OF_TOPICS}})`),
        number('Under-replicated', `sum(kafka_topic_partition_under_replicated_partition{${OF_TOPICS}})`, { max: 0 }),
        number('Under min ISR', `sum(kafka_cluster_partition_underminisr{${OF_TOPICS}})`, { max: 0 }),
        number('At min ISR', `sum(kafka_cluster_partition_atminisr{${OF_TOPICS}})`, {
          description: 'Partitions that refuse writes if one more replica falls out.',
        }),
        number(
          'Led by another',
          `count(kafka_topic_partition_leader_is_preferred{${OF_TOPICS}}) - sum(kafka_topic_partition_leader_is_preferred{${OF_TOPICS}})`,
          { description: 'Partitions that another than the first replica leads.' },
        ),
      ],
    },
    {
      title: 'Traffic',
      panels: [
        lines(
          'Records in',
          [
            query(
              '{{topic}}',
              `sum by (topic) (rate(kafka_server_brokertopicmetrics_messagesin_total{${OF_TOPICS}}[$__rate_interval]))`,
            ),
          ],
          { unit: 'cps' },
        ),
        lines(
          'Bytes in',
          [
            query(
              '{{topic}}',
              `sum by (topic) (rate(kafka_server_brokertopicmetrics_bytesin_total{${OF_TOPICS}}[$__rate_interval]))`,
            ),
          ],
          { unit: 'Bps' },
        ),
        lines(
          'Bytes out',
          [
            query(
              '{{topic}}',
              `sum by (topic) (rate(kafka_server_brokertopicmetrics_bytesout_total{${OF_TOPICS}}[$__rate_interval]))`,
            ),
          ],
          { unit: 'Bps' },
        ),
        lines(
          'Failed requests',
          [
            query(
              '{{topic}} produce',
              `sum by (topic) (rate(kafka_server_brokertopicmetrics_failedproducerequests_total{${OF_TOPICS}}[$__rate_interval]))`,
            ),
            query(
              '{{topic}} fetch',
              `sum by (topic) (rate(kafka_server_brokertopicmetrics_failedfetchrequests_total{${OF_TOPICS}}[$__rate_interval]))`,
            ),
          ],
          { unit: 'reqps' },
        ),
      ],
    },
    {
      title: 'What is kept',
      panels: [
        lines('Size', [query('{{topic}}', `sum by (topic) (kafka_log_log_size{${OF_TOPICS}})`)], {
          unit: 'bytes',
          description: 'Of all replicas.',
        }),
        lines('Offsets that are kept', [
          query(
            '{{topic}}',
            `sum by (topic) (kafka_topic_partition_current_offset{${OF_TOPICS}} - kafka_topic_partition_oldest_offset{${OF_TOPICS}})`,
          ),
        ]),
      ],
    },
  ],
}
