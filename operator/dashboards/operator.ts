import { type DashboardSpec, lines, number, query } from './spec.ts'

/** Does the operator get on with its work? */
export const OPERATOR_DASHBOARD: DashboardSpec = {
  uid: 'ottla-operator',
  title: 'Kafka / Operator',
  description: 'The operator: how are the resources, and does it get on with its work?',
  variables: [],
  rows: [
    {
      title: 'Resources',
      panels: [
        number('Leading', 'sum(leader_election_master_status)', { only: 1 }),
        number('Clusters', 'sum(ottla_resources{kind="KafkaCluster"})'),
        number('Clusters not ready', 'sum(ottla_resources{kind="KafkaCluster",state!="ready"})', { max: 0 }),
        number('Topics', 'sum(ottla_resources{kind="KafkaTopic"})'),
        number('Topics not ready', 'sum(ottla_resources{kind="KafkaTopic",state!="ready"})', { max: 0 }),
        number('Nodes', 'sum(ottla_cluster_nodes)'),
        number('Nodes not ready', 'sum(ottla_cluster_nodes) - sum(ottla_cluster_nodes_ready)', { max: 0 }),
        lines('Resources', [query('{{kind}} {{state}}', 'sum by (kind, state) (ottla_resources)')]),
        lines('Conditions that do not hold', [
          query(
            '{{resource_namespace}}/{{kafka_cluster}} {{type}}',
            'max by (resource_namespace, kafka_cluster, type) (ottla_cluster_condition{status!="True",type!~"Reconciling|Stalled"})',
          ),
        ]),
        lines('Partitions', [
          query(
            '{{resource_namespace}}/{{kafka_cluster}} {{state}}',
            'max by (resource_namespace, kafka_cluster, state) (ottla_cluster_partitions)',
          ),
        ]),
      ],
    },
    {
      title: 'Work',
      panels: [
        lines(
          'Reconciles',
          [
            query(
              '{{controller}} {{result}}',
              'sum by (controller, result) (rate(controller_runtime_reconcile_total[$__rate_interval]))',
            ),
          ],
          { unit: 'cps' },
        ),
        lines(
          'Time of a reconcile, 99th percentile',
          [
            query(
              '{{controller}}',
              'histogram_quantile(0.99, sum by (controller, le) (rate(controller_runtime_reconcile_time_seconds_bucket[$__rate_interval])))',
            ),
          ],
          { unit: 's' },
        ),
        lines('Waiting', [query('{{name}}', 'sum by (name) (workqueue_depth)')], {
          description: 'Resources that wait for a worker.',
        }),
        lines('CPU', [
          query(
            '{{pod}}',
            'rate(process_cpu_seconds_total[$__rate_interval]) and on (instance) leader_election_master_status',
          ),
        ]),
        lines(
          'Memory',
          [query('{{pod}}', 'process_resident_memory_bytes and on (instance) leader_election_master_status')],
          { unit: 'bytes' },
        ),
      ],
    },
  ],
}
