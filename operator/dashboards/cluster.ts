import { type DashboardSpec, lines, number, query } from './spec.ts'
import { CLUSTER_VARIABLES, OF_CLUSTER } from './variables.ts'

const TOTALS = `${OF_CLUSTER},topic=""`

/** Is it well, and what goes through it? */
export const CLUSTER_DASHBOARD: DashboardSpec = {
  uid: 'ottla-kafka-cluster',
  title: 'Kafka / Cluster',
  description: 'One Kafka cluster: is it well, and what goes through it?',
  variables: CLUSTER_VARIABLES,
  rows: [
    {
      title: 'Health',
      panels: [
        number('Brokers', `max(kafka_controller_kafkacontroller_activebrokercount{${OF_CLUSTER}})`, {
          description: 'That take part in the cluster.',
        }),
        number('Brokers down', `max(kafka_controller_kafkacontroller_fencedbrokercount{${OF_CLUSTER}})`, { max: 0 }),
        number('Active controllers', `sum(kafka_controller_kafkacontroller_activecontrollercount{${OF_CLUSTER}})`, {
          only: 1,
        }),
        number('Partitions', `max(kafka_controller_kafkacontroller_globalpartitioncount{${OF_CLUSTER}})`),
        number('Under-replicated', `sum(kafka_server_replicamanager_underreplicatedpartitions{${OF_CLUSTER}})`, {
          max: 0,
          description: 'Partitions with a replica that is not in sync.',
        }),
        number('Under min ISR', `sum(kafka_server_replicamanager_underminisrpartitioncount{${OF_CLUSTER}})`, {
          max: 0,
          description: 'Partitions that refuse writes with acks=all.',
        }),
        number('Offline', `max(kafka_controller_kafkacontroller_offlinepartitionscount{${OF_CLUSTER}})`, {
          max: 0,
          description: 'Partitions without a leader.',
        }),
        number(
          'Unclean elections',
          `max(increase(kafka_controller_controllerstats_uncleanleaderelections_total{${OF_CLUSTER}}[$__range]))`,
          { max: 0, description: 'In the time shown. Each may have lost acknowledged records.' },
        ),
      ],
    },
    {
      title: 'Traffic',
      panels: [
        lines(
          'Bytes in',
          [
            query(
              '{{pod}}',
              `sum by (pod) (rate(kafka_server_brokertopicmetrics_bytesin_total{${TOTALS}}[$__rate_interval]))`,
            ),
          ],
          { unit: 'Bps', isStacked: true },
        ),
        lines(
          'Bytes out',
          [
            query(
              '{{pod}}',
              `sum by (pod) (rate(kafka_server_brokertopicmetrics_bytesout_total{${TOTALS}}[$__rate_interval]))`,
            ),
          ],
          { unit: 'Bps', isStacked: true },
        ),
        lines(
          'Records in',
          [
            query(
              '{{pod}}',
              `sum by (pod) (rate(kafka_server_brokertopicmetrics_messagesin_total{${TOTALS}}[$__rate_interval]))`,
            ),
          ],
          { unit: 'cps', isStacked: true },
        ),
        lines(
          'Replication',
          [
            query(
              'in',
              `sum(rate(kafka_server_brokertopicmetrics_replicationbytesin_total{${TOTALS}}[$__rate_interval]))`,
            ),
            query(
              'out',
              `sum(rate(kafka_server_brokertopicmetrics_replicationbytesout_total{${TOTALS}}[$__rate_interval]))`,
            ),
          ],
          { unit: 'Bps' },
        ),
      ],
    },
    {
      title: 'Latency and errors',
      panels: [
        lines(
          'Produce, 99th percentile',
          [
            query(
              '{{pod}}',
              `max by (pod) (kafka_network_requestmetrics_totaltimems{${OF_CLUSTER},request="Produce",quantile="0.99"})`,
            ),
          ],
          { unit: 'ms' },
        ),
        lines(
          'Failed requests of clients',
          [
            query(
              'produce',
              `sum(rate(kafka_server_brokertopicmetrics_failedproducerequests_total{${TOTALS}}[$__rate_interval]))`,
            ),
            query(
              'fetch',
              `sum(rate(kafka_server_brokertopicmetrics_failedfetchrequests_total{${TOTALS}}[$__rate_interval]))`,
            ),
          ],
          { unit: 'reqps' },
        ),
      ],
    },
    {
      title: 'Resources',
      panels: [
        lines(
          'CPU',
          [query('{{pod}}', `sum by (pod) (rate(process_cpu_seconds_total{${OF_CLUSTER}}[$__rate_interval]))`)],
          {
            description: 'Cores that each node uses.',
          },
        ),
        lines('Memory', [query('{{pod}}', `max by (pod) (process_resident_memory_bytes{${OF_CLUSTER}})`)], {
          unit: 'bytes',
        }),
        lines('Size of the logs', [query('{{pod}}', `sum by (pod) (kafka_log_log_size{${OF_CLUSTER}})`)], {
          unit: 'bytes',
          isStacked: true,
        }),
        lines(
          'Free disk',
          [
            query(
              '{{pod}} {{directory}}',
              `ottla_log_directory_usable_bytes{${OF_CLUSTER}} / ottla_log_directory_size_bytes{${OF_CLUSTER}}`,
            ),
          ],
          { unit: 'percentunit' },
        ),
      ],
    },
    {
      title: 'Consumers',
      panels: [
        lines('Groups furthest behind', [
          query('{{consumergroup}}', `topk(10, sum by (consumergroup) (kafka_consumergroup_lag_sum{${OF_CLUSTER}}))`),
        ]),
        lines('Members', [
          query('{{consumergroup}}', `sum by (consumergroup) (kafka_consumergroup_members{${OF_CLUSTER}})`),
        ]),
      ],
    },
  ],
}
