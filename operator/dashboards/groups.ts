import { type DashboardSpec, lines, number, query } from './spec.ts'
import { CLUSTER_VARIABLES, GROUP, OF_CLUSTER, TOPIC } from './variables.ts'

const OF_GROUPS = `${OF_CLUSTER},consumergroup=~"$consumergroup"`
const OF_OFFSETS = `${OF_GROUPS},topic=~"$topic"`
/** A group's coordinator tells of it; while that moves, two may for a moment. */
const BY = 'by (namespace, kafka_cluster, consumergroup, topic)'
const LAG = `max ${BY} (kafka_consumergroup_lag_sum{${OF_OFFSETS}})`
const COMMITTED = `max ${BY} (kafka_consumergroup_current_offset_sum{${OF_OFFSETS}})`

/** How far are consumers behind? */
export const GROUPS_DASHBOARD: DashboardSpec = {
  uid: 'ottla-kafka-groups',
  title: 'Kafka / Consumer groups',
  description: 'Consumer groups of a Kafka cluster: how far are they behind?',
  variables: [...CLUSTER_VARIABLES, GROUP, TOPIC],
  rows: [
    {
      title: 'Groups',
      panels: [
        number('Groups', `count(kafka_consumergroup_members{${OF_GROUPS}})`),
        number('Members', `sum(kafka_consumergroup_members{${OF_GROUPS}})`),
        number('Lag', `sum(${LAG})`, { description: 'Records that are not yet committed, in total.' }),
        number('Stable', `sum(kafka_coordinator_group_groupmetadatamanager_numgroupsstable{${OF_CLUSTER}})`),
        number(
          'Rebalancing',
          `sum(kafka_coordinator_group_groupmetadatamanager_numgroupspreparingrebalance{${OF_CLUSTER}}) + sum(kafka_coordinator_group_groupmetadatamanager_numgroupscompletingrebalance{${OF_CLUSTER}})`,
        ),
        number('Empty', `sum(kafka_coordinator_group_groupmetadatamanager_numgroupsempty{${OF_CLUSTER}})`, {
          description: 'Groups without members, whose offsets are kept.',
        }),
      ],
    },
    {
      title: 'Lag',
      panels: [
        lines('Lag', [query('{{consumergroup}} {{topic}}', LAG)], {
          description: 'Records that are not yet committed.',
        }),
        lines(
          'Time behind',
          [query('{{consumergroup}} {{topic}}', `${LAG} / clamp_min(deriv((${COMMITTED})[10m:30s]), 0.001)`)],
          { unit: 's', description: 'The lag at the pace of the last ten minutes.' },
        ),
        lines('Consumed', [query('{{consumergroup}} {{topic}}', `clamp_min(deriv((${COMMITTED})[5m:30s]), 0)`)], {
          unit: 'cps',
          description: 'Records a second that were committed.',
        }),
        lines('Furthest behind', [
          query(
            '{{consumergroup}} {{topic}}-{{partition}}',
            `topk(20, max by (consumergroup, topic, partition) (kafka_consumergroup_lag{${OF_OFFSETS}}))`,
          ),
        ]),
        lines('Members', [
          query('{{consumergroup}}', `sum by (consumergroup) (kafka_consumergroup_members{${OF_GROUPS}})`),
        ]),
        lines('Committed offsets', [
          query(
            '{{consumergroup}} {{topic}}-{{partition}}',
            `topk(20, max by (consumergroup, topic, partition) (kafka_consumergroup_current_offset{${OF_OFFSETS}}))`,
          ),
        ]),
      ],
    },
  ],
}
