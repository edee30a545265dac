import * as common from '@grafana/grafana-foundation-sdk/common'
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard'
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus'
import * as stat from '@grafana/grafana-foundation-sdk/stat'
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries'
import type { DashboardSpec, Panel, Query, Variable } from './spec.ts'

const DATASOURCE = { type: 'prometheus', uid: '${datasource}' }
const TAGS = ['kafka', 'ottla']
/** Of 24 columns. */
const NUMBER_SIZE = { width: 3, height: 4 }
const LINES_SIZE = { width: 12, height: 8 }
const GREEN = 'green'
const RED = 'red'

/** Grafana's model of `spec`. */
export function build(spec: DashboardSpec): dashboard.Dashboard {
  const builder = new dashboard.DashboardBuilder(spec.title)
    .uid(spec.uid)
    .description(spec.description)
    .tags(TAGS)
    .editable()
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .time({ from: 'now-1h', to: 'now' })
    .refresh('30s')
    .withVariable(new dashboard.DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'))
    .link(
      new dashboard.DashboardLinkBuilder('Kafka')
        .type(dashboard.DashboardLinkType.Dashboards)
        .tags(TAGS)
        .asDropdown(true)
        .includeVars(true)
        .keepTime(true),
    )
  for (const variable of spec.variables) builder.withVariable(variableOf(variable))
  for (const { title, panels } of spec.rows) {
    builder.withRow(new dashboard.RowBuilder(title))
    for (const panel of panels) builder.withPanel(panel.kind === 'number' ? numberOf(panel) : linesOf(panel))
  }
  return builder.build()
}

function variableOf({ name, label, series, of, isMulti = false }: Variable): dashboard.QueryVariableBuilder {
  const builder = new dashboard.QueryVariableBuilder(name)
    .label(label)
    .datasource(DATASOURCE)
    .query({ query: `label_values(${series}, ${of})`, refId: name })
    .definition(`label_values(${series}, ${of})`)
    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
    .sort(dashboard.VariableSort.NaturalAsc)
    .multi(isMulti)
    .includeAll(true)
    .allValue('.*')
  return isMulti ? builder.current({ selected: true, text: 'All', value: '$__all' }) : builder
}

function numberOf(panel: Panel): stat.PanelBuilder {
  const builder = new stat.PanelBuilder()
    .title(panel.title)
    .datasource(DATASOURCE)
    .span(NUMBER_SIZE.width)
    .height(NUMBER_SIZE.height)
    .unit(panel.unit ?? 'short')
    .graphMode(common.BigValueGraphMode.None)
    .colorMode(common.BigValueColorMode.Value)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false))
    .thresholds(new dashboard.ThresholdsConfigBuilder().mode(dashboard.ThresholdsMode.Absolute).steps(stepsOf(panel)))
    .targets(panel.queries.map((query, index) => targetOf(query, index).instant()))
  return panel.description === undefined ? builder : builder.description(panel.description)
}

function stepsOf({ max, only }: Panel): dashboard.Threshold[] {
  if (only !== undefined) {
    return [
      { value: null, color: RED },
      { value: only, color: GREEN },
      { value: only + 1, color: RED },
    ]
  }
  const good = { value: null, color: GREEN }
  return max === undefined ? [good] : [good, { value: max + 1, color: RED }]
}

function linesOf(panel: Panel): timeseries.PanelBuilder {
  const builder = new timeseries.PanelBuilder()
    .title(panel.title)
    .datasource(DATASOURCE)
    .span(LINES_SIZE.width)
    .height(LINES_SIZE.height)
    .unit(panel.unit ?? 'short')
    .min(0)
    .lineWidth(1)
    .fillOpacity(panel.isStacked === true ? 30 : 5)
    .showPoints(common.VisibilityMode.Never)
    .stacking(
      new common.StackingConfigBuilder().mode(
        panel.isStacked === true ? common.StackingMode.Normal : common.StackingMode.None,
      ),
    )
    .legend(
      new common.VizLegendOptionsBuilder()
        .displayMode(common.LegendDisplayMode.Table)
        .placement(common.LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(['lastNotNull', 'max']),
    )
    .tooltip(
      new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi).sort(common.SortOrder.Descending),
    )
    .targets(panel.queries.map(targetOf))
  return panel.description === undefined ? builder : builder.description(panel.description)
}

function targetOf({ expr, legend }: Query, index: number): prometheus.DataqueryBuilder {
  const builder = new prometheus.DataqueryBuilder()
    .datasource(DATASOURCE)
    .expr(expr)
    .refId(String.fromCharCode('A'.charCodeAt(0) + index))
  return legend === '' ? builder : builder.legendFormat(legend)
}
