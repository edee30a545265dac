import { type DashboardSpec, lines, number, query } from './spec.ts'
import { CLUSTER_VARIABLES, OF_CLUSTER, OF_PODS, POD } from './variables.ts'

/** Does the metadata quorum work? */
export const QUORUM_DASHBOARD: DashboardSpec = {
  uid: 'ottla-kafka-quorum',
  title: 'Kafka / Metadata quorum',
  description: 'The controllers of a Kafka cluster: who leads, and does everybody follow?',
  variables: [...CLUSTER_VARIABLES, POD],
  rows: [
    {
      title: 'Quorum',
      panels: [
        number('Leader', `max(kafka_server_raftmetrics_current_leader{${OF_CLUSTER}})`, {
          description: 'Node id of the active controller.',
        }),
        number('Epoch', `max(kafka_server_raftmetrics_current_epoch{${OF_CLUSTER}})`),
        number('Voters', `max(kafka_server_raftmetrics_number_of_voters{${OF_CLUSTER}})`),
        number('Observers', `max(kafka_server_raftmetrics_number_of_observers{${OF_CLUSTER}})`),
        number(
          'Voters that take part',
          `count(kafka_server_raftmetrics_current_state{${OF_CLUSTER},current_state=~"leader|follower"})`,
        ),
        number('Elections', `max(changes(kafka_server_raftmetrics_current_epoch{${OF_CLUSTER}}[$__range]))`, {
          description: 'In the time shown.',
        }),
      ],
    },
    {
      title: 'Metadata log',
      panels: [
        lines('Role', [query('{{pod}} {{current_state}}', `kafka_server_raftmetrics_current_state{${OF_PODS}}`)], {
          isStacked: true,
        }),
        lines('End of the log', [
          query('{{pod}} end', `kafka_server_raftmetrics_log_end_offset{${OF_PODS}}`),
          query('{{pod}} committed', `kafka_server_raftmetrics_high_watermark{${OF_PODS}}`),
        ]),
        lines(
          'Records',
          [
            query('{{pod}} appended', `kafka_server_raftmetrics_append_records_rate{${OF_PODS}}`),
            query('{{pod}} fetched', `kafka_server_raftmetrics_fetch_records_rate{${OF_PODS}}`),
          ],
          { unit: 'cps' },
        ),
        lines(
          'From append to commit',
          [
            query('{{pod}} average', `kafka_server_raftmetrics_commit_latency_avg{${OF_PODS}}`),
            query('{{pod}} at most', `kafka_server_raftmetrics_commit_latency_max{${OF_PODS}}`),
          ],
          { unit: 'ms' },
        ),
        lines(
          'Behind the leader',
          [
            query(
              '{{pod}}',
              `clamp_min(scalar(max(kafka_server_raftmetrics_log_end_offset{${OF_CLUSTER}})) - kafka_server_raftmetrics_log_end_offset{${OF_PODS}}, 0)`,
            ),
          ],
          { description: 'Records.' },
        ),
        lines(
          'Requests to other members',
          [query('{{pod}}', `rate(kafka_server_raftchannelmetrics_request_total{${OF_PODS}}[$__rate_interval])`)],
          { unit: 'reqps' },
        ),
        lines(
          'Bytes between members',
          [
            query(
              '{{pod}} sent',
              `rate(kafka_server_raftchannelmetrics_outgoing_byte_total{${OF_PODS}}[$__rate_interval])`,
            ),
            query(
              '{{pod}} received',
              `rate(kafka_server_raftchannelmetrics_incoming_byte_total{${OF_PODS}}[$__rate_interval])`,
            ),
          ],
          { unit: 'Bps' },
        ),
      ],
    },
    {
      title: 'Brokers',
      panels: [
        lines(
          'Metadata that brokers act on',
          [query('{{pod}}', `kafka_server_brokermetadatametrics_last_applied_record_lag_ms{${OF_PODS}}`)],
          { unit: 'ms', description: 'How old it is. It is written twice a second at least.' },
        ),
        lines(
          'Since the last heartbeat',
          [
            query(
              'broker {{broker}}',
              `max by (broker) (kafka_controller_kafkacontroller_timesincelastheartbeatreceivedms{${OF_CLUSTER}})`,
            ),
          ],
          { unit: 'ms' },
        ),
        lines(
          'Registrations',
          [
            query(
              'broker {{broker}}',
              `max by (broker) (kafka_controller_kafkacontroller_brokerregistrationstate{${OF_CLUSTER}})`,
            ),
          ],
          { description: '10: fenced, 20: shutting down, 30: active.' },
        ),
        lines('Topics and partitions', [
          query('topics', `max(kafka_controller_kafkacontroller_globaltopiccount{${OF_CLUSTER}})`),
          query('partitions', `max(kafka_controller_kafkacontroller_globalpartitioncount{${OF_CLUSTER}})`),
        ]),
      ],
    },
  ],
}
