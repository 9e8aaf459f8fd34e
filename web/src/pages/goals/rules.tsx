/** The rules, those that hold first: what each looks for, what it saw last, and why it says something or nothing. */
import { ask, type ApiAnswer } from '../../api/client.ts'
import { useLoad } from '../../api/use-ask.ts'
import { Badge, type Tone } from '../../parts/badge.tsx'
import { Card } from '../../parts/card.tsx'
import { AskedView, Empty } from '../../parts/states.tsx'
import { Time } from '../../parts/time.tsx'
import { hrefOf } from '../../route.ts'
import { LOOP_MS, OF_LOOP } from './index.tsx'
import { shown, SIGNS, unitOf } from './numbers.ts'
import { RemoveRule } from './save.tsx'

export type Rule = ApiAnswer<'GET /api/meta/rules'>['rules'][number]
type Findings = ApiAnswer<'GET /api/meta/findings'>
type Finding = Findings['findings'][number]
type Silence = Findings['silent'][number]['reason']
export type Metrics = ApiAnswer<'GET /api/meta/metrics'>
export type Metric = Metrics['metrics'][number]

const LIMIT = 500

const SILENCES: Record<Silence, { tone: Tone; says: string }> = {
  disabled: { tone: 'off', says: 'switched off' },
  no_data: { tone: 'off', says: 'no data' },
  below_confidence: { tone: 'off', says: 'holds, too few samples' },
  cooldown: { tone: 'info', says: 'holds, was just told' },
  pending: { tone: 'warn', says: 'holds, its proposal waits' },
  does_not_hold: { tone: 'good', says: 'does not hold' },
}

export const SEVERITY_TONES: Record<Finding['severity'], Tone> = { info: 'info', warning: 'warn', critical: 'bad' }

async function readAll() {
  const [{ rules }, said, metrics] = await Promise.all([
    ask('GET /api/meta/rules', { query: { limit: LIMIT } }),
    ask('GET /api/meta/findings'),
    ask('GET /api/meta/metrics'),
  ])
  return { rules, said, metrics }
}

export function Rules() {
  const asked = useLoad({ on: OF_LOOP, every_ms: LOOP_MS }, ['rules'], readAll)
  return (
    <AskedView asked={asked} label="Rules">
      {({ rules, said, metrics }) => (
        <Card
          title={`${rules.length} rules`}
          actions={
            <>
              <span class="dim">
                {metrics.snapshot === null ? (
                  'no snapshot yet'
                ) : (
                  <>
                    on {metrics.snapshot.id}, <Time at={metrics.snapshot.at} />
                  </>
                )}
              </span>
              <a href={hrefOf('goals', [], { tab: 'build' })}>Build one</a>
            </>
          }
        >
          {rules.length === 0 ? (
            <Empty title="No rules" />
          ) : (
            <ul class="items">
              {[...rules]
                .sort((a, b) => rankOf(a, said) - rankOf(b, said))
                .map((one) => (
                  <RuleLine key={one.rule.name} one={one} said={said} metrics={metrics} />
                ))}
            </ul>
          )}
        </Card>
      )}
    </AskedView>
  )
}

const findingOf = ({ rule }: Rule, { findings }: Findings): Finding | undefined =>
  findings.find((one) => one.rule === rule.name)

const silenceOf = ({ rule }: Rule, { silent }: Findings): Silence | undefined =>
  silent.find((one) => one.rule === rule.name)?.reason

/** What holds comes first, then one's own. */
const rankOf = (one: Rule, said: Findings): number =>
  (findingOf(one, said) === undefined ? 2 : 0) + (one.type === 'custom' ? 0 : 1)

function RuleLine({ one, said, metrics }: { one: Rule; said: Findings; metrics: Metrics }) {
  const { rule, type } = one
  const finding = findingOf(one, said)
  return (
    <li class="goals-rule is-split">
      <div>
        <div class="goals-head">
          <strong>{rule.name}</strong>
          <Says finding={finding} silence={silenceOf(one, said)} />
          <Badge tone={SEVERITY_TONES[rule.severity]}>{rule.severity}</Badge>
          <span class="dim">{type === 'custom' ? 'your own' : 'built in'}</span>
        </div>
        {finding !== undefined && (
          <p>
            {finding.description} <span class="dim">confidence {shown(finding.confidence)}</span>
          </p>
        )}
        {finding === undefined && rule.description !== undefined && <p class="dim">{rule.description}</p>}
        {type === 'custom' && (
          <div class="row">
            <a href={hrefOf('goals', [], { tab: 'build', rule: rule.name })}>Change {rule.name}</a>
            <RemoveRule name={rule.name} />
          </div>
        )}
      </div>
      <div>
        <ul class="goals-conditions" aria-label={`Conditions of ${rule.name}`}>
          {rule.conditions.map((condition) => (
            <ConditionLine
              key={`${condition.metric} ${condition.comparator}`}
              condition={condition}
              metrics={metrics}
            />
          ))}
        </ul>
        {rule.change !== undefined && <p class="dim">would {changeText(rule.change)}</p>}
        {rule.structure !== undefined && <p class="dim">would {structureText(rule.structure)}</p>}
      </div>
    </li>
  )
}

function Says({ finding, silence }: { finding: Finding | undefined; silence: Silence | undefined }) {
  if (finding !== undefined) return <Badge tone="warn">fires</Badge>
  if (silence === undefined) return <Badge tone="off">not judged yet</Badge>
  const { tone, says } = SILENCES[silence]
  return <Badge tone={tone}>{says}</Badge>
}

interface ConditionLineProps {
  condition: Rule['rule']['conditions'][number]
  metrics: Metrics
}

function ConditionLine({ condition: { metric, comparator, threshold }, metrics }: ConditionLineProps) {
  const known = metrics.metrics.find((one) => one.metric.path === metric)
  const unit = known === undefined ? '' : unitOf(known.metric.unit)
  return (
    <li>
      <code title={known?.metric.meaning}>{metric}</code>
      <span>
        {SIGNS[comparator]} {shown(threshold)} {unit}
      </span>
      <span class="dim">
        now {known === undefined || known.value === null ? 'unknown' : `${shown(known.value)} ${unit}`}
      </span>
    </li>
  )
}

export const structureText = ({ operation, service }: NonNullable<Rule['rule']['structure']>): string =>
  `${operation} ${service ?? 'a service'}`

export function changeText({ file, key, factor, add, value }: NonNullable<Rule['rule']['change']>): string {
  const place = `${key} of ${file}`
  if (factor !== undefined) return `multiply ${place} by ${factor}`
  if (add !== undefined) return `add ${add} to ${place}`
  return `set ${place} to ${JSON.stringify(value)}`
}
