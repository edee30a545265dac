import { clusterGroup, operatorGroup } from '../../../operator/alerts/prometheus-rules.ts'
import { DASHBOARDS } from '../../../operator/dashboards/all.ts'

/** A series in an expression, with its matchers; labels of the same beginning are none. */
const SELECTOR =
  /\b(?!kafka_cluster\b|kafka_pool\b)(up|(kafka|ottla|leader_election|controller_runtime)_[a-z_]+)(?=[{[) ]|$)(\{[^}]*\})?/g

/** Every query of every dashboard, with all that can be chosen chosen, and over times that a short test has. */
export function dashboardQueries(): { readonly where: string; readonly expr: string }[] {
  return DASHBOARDS.flatMap(({ title, rows, variables }) =>
    rows.flatMap(({ panels }) =>
      panels.flatMap((panel) =>
        panel.queries.map(({ expr }) => ({
          where: `${title}: ${panel.title}`,
          expr: shortened(variables.reduce((text, { name }) => text.replaceAll(`"$${name}"`, '".*"'), expr)),
        })),
      ),
    ),
  )
}

/** Every query behind the variables of the dashboards: the series whose labels are offered. */
export function variableQueries(): { readonly where: string; readonly expr: string; readonly label: string }[] {
  return DASHBOARDS.flatMap(({ title, variables }) =>
    variables.map(({ name, series, of }) => ({
      where: `${title}: $${name}`,
      expr: variables.reduce((text, each) => text.replaceAll(`"$${each.name}"`, '".*"'), series),
      label: of,
    })),
  )
}

/** The rules as they are, and every selector in them: a rule without series is one that can never fire. */
export function ruleSelectors(cluster: { namespace: string; name: string }): { where: string; selector: string }[] {
  return [clusterGroup(cluster), clusterGroup(null), operatorGroup()].flatMap(({ name, rules }) =>
    rules.flatMap(({ alert, expr }) => {
      const selectors = expr.match(SELECTOR)
      return (selectors ?? []).map((selector) => ({ where: `${name} ${alert}`, selector }))
    }),
  )
}

function shortened(expr: string): string {
  return expr
    .replaceAll('$__rate_interval', '10s')
    .replaceAll('$__range', '1m')
    .replaceAll(/\[\d+m:30s\]/g, '[1m:1s]')
}
