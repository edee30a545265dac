import { type DashboardSpec, lines, query } from './spec.ts'
import { CLUSTER_VARIABLES, OF_PODS, POD } from './variables.ts'

const TOTALS = `${OF_PODS},topic=""`

/** What is a broker busy with? */
export const BROKER_DASHBOARD: DashboardSpec = {
  uid: 'ottla-kafka-broker',
  title: 'Kafka / Broker',
  description: 'The brokers of a Kafka cluster: what is each busy with?',
  variables: [...CLUSTER_VARIABLES, POD],
  rows: [
    {
      title: 'Requests',
      panels: [
        lines(
          'Requests by API',
          [
            query(
              '{{request}}',
              `sum by (request) (rate(kafka_network_requestmetrics_requests_total{${OF_PODS}}[$__rate_interval]))`,
            ),
          ],
          { unit: 'reqps', isStacked: true },
        ),
        lines(
          'Errors',
          [
            query(
              '{{request}} {{error}}',
              `sum by (request, error) (rate(kafka_network_requestmetrics_errors_total{${OF_PODS}}[$__rate_interval]))`,
            ),
          ],
          { unit: 'reqps', description: 'By the error code in the answer; NONE is none.' },
        ),
        lines(
          'Time of Produce',
          [
            query(
              'median',
              `max(kafka_network_requestmetrics_totaltimems{${OF_PODS},request="Produce",quantile="0.5"})`,
            ),
            query(
              '99 %',
              `max(kafka_network_requestmetrics_totaltimems{${OF_PODS},request="Produce",quantile="0.99"})`,
            ),
            query(
              '99.9 %',
              `max(kafka_network_requestmetrics_totaltimems{${OF_PODS},request="Produce",quantile="0.999"})`,
            ),
          ],
          { unit: 'ms', description: 'Of the slowest of the chosen brokers.' },
        ),
        lines(
          'Where Produce waits, 99th percentile',
          [
            query(
              'its turn',
              `max(kafka_network_requestmetrics_requestqueuetimems{${OF_PODS},request="Produce",quantile="0.99"})`,
            ),
            query(
              'here',
              `max(kafka_network_requestmetrics_localtimems{${OF_PODS},request="Produce",quantile="0.99"})`,
            ),
            query(
              'replicas',
              `max(kafka_network_requestmetrics_remotetimems{${OF_PODS},request="Produce",quantile="0.99"})`,
            ),
            query(
              'sending',
              `max(kafka_network_requestmetrics_responsesendtimems{${OF_PODS},request="Produce",quantile="0.99"})`,
            ),
          ],
          { unit: 'ms' },
        ),
      ],
    },
    {
      title: 'Work',
      panels: [
        lines(
          'Idle',
          [query('{{pod}}', `kafka_server_kafkarequesthandlerpool_requesthandleravgidle_percent{${OF_PODS}}`)],
          { unit: 'percentunit', description: 'The part of the time in which there was nothing to do.' },
        ),
        lines('Connections', [
          query('{{pod}} {{listener}}', `kafka_server_socket_server_metrics_connection_count{${OF_PODS}}`),
        ]),
        lines(
          'Bytes in',
          [query('{{pod}}', `rate(kafka_server_brokertopicmetrics_bytesin_total{${TOTALS}}[$__rate_interval])`)],
          { unit: 'Bps' },
        ),
        lines(
          'Bytes out',
          [query('{{pod}}', `rate(kafka_server_brokertopicmetrics_bytesout_total{${TOTALS}}[$__rate_interval])`)],
          { unit: 'Bps' },
        ),
      ],
    },
    {
      title: 'Replicas',
      panels: [
        lines('Replicas and leaders', [
          query('{{pod}} replicas', `kafka_server_replicamanager_partitioncount{${OF_PODS}}`),
          query('{{pod}} leaders', `kafka_server_replicamanager_leadercount{${OF_PODS}}`),
        ]),
        lines(
          'Furthest behind its leader',
          [query('{{pod}}', `kafka_server_replicafetchermanager_maxlag{${OF_PODS}}`)],
          {
            description: 'Records that the replica furthest behind lacks.',
          },
        ),
        lines('Changes of ISRs', [
          query('{{pod}} shrinks', `rate(kafka_server_replicamanager_isrshrinks_total{${OF_PODS}}[$__rate_interval])`),
          query('{{pod}} expands', `rate(kafka_server_replicamanager_isrexpands_total{${OF_PODS}}[$__rate_interval])`),
        ]),
        lines('Not well', [
          query('{{pod}} under-replicated', `kafka_server_replicamanager_underreplicatedpartitions{${OF_PODS}}`),
          query('{{pod}} offline', `kafka_server_replicamanager_offlinereplicacount{${OF_PODS}}`),
          query('{{pod}} failed directories', `kafka_log_logmanager_offlinelogdirectorycount{${OF_PODS}}`),
        ]),
      ],
    },
    {
      title: 'Process',
      panels: [
        lines('CPU', [query('{{pod}}', `rate(process_cpu_seconds_total{${OF_PODS}}[$__rate_interval])`)]),
        lines(
          'Memory',
          [
            query('{{pod}} resident', `process_resident_memory_bytes{${OF_PODS}}`),
            query('{{pod}} heap', `nodejs_heap_size_used_bytes{${OF_PODS}}`),
          ],
          { unit: 'bytes' },
        ),
        lines('Event loop lag, 99th percentile', [query('{{pod}}', `nodejs_eventloop_lag_p99_seconds{${OF_PODS}}`)], {
          unit: 's',
        }),
        lines(
          'Disk',
          [
            query('{{pod}} read', `rate(kafka_server_kafkaserver_linux_disk_read_bytes{${OF_PODS}}[$__rate_interval])`),
            query(
              '{{pod}} written',
              `rate(kafka_server_kafkaserver_linux_disk_write_bytes{${OF_PODS}}[$__rate_interval])`,
            ),
          ],
          { unit: 'Bps' },
        ),
        lines('Open files', [query('{{pod}}', `process_open_fds{${OF_PODS}}`)]),
      ],
    },
  ],
}
