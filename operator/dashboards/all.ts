import { BROKER_DASHBOARD } from './broker.ts'
import { CLUSTER_DASHBOARD } from './cluster.ts'
import { GROUPS_DASHBOARD } from './groups.ts'
import { OPERATOR_DASHBOARD } from './operator.ts'
import { QUORUM_DASHBOARD } from './quorum.ts'
import type { DashboardSpec } from './spec.ts'
import { TOPIC_DASHBOARD } from './topic.ts'

/** Every dashboard of the chart. */
export const DASHBOARDS: readonly DashboardSpec[] = [
  CLUSTER_DASHBOARD,
  BROKER_DASHBOARD,
  TOPIC_DASHBOARD,
  GROUPS_DASHBOARD,
  QUORUM_DASHBOARD,
  OPERATOR_DASHBOARD,
]
