/** The conditions of a rule that is being built: all of them have to hold. */
import { Button } from '../../parts/button.tsx'
import { SelectField, TextField } from '../../parts/field.tsx'
import type { PartProps } from './builder.tsx'
import { EMPTY_CONDITION, type Comparator, type ConditionDraft } from './draft.ts'
import { shown, SIGNS, unitOf } from './numbers.ts'
import type { Metrics } from './rules.tsx'

const CONDITIONS_MAX = 20
const WORDS: Record<Comparator, string> = {
  lt: 'below',
  le: 'at most',
  gt: 'above',
  ge: 'at least',
  eq: 'equal to',
  ne: 'other than',
}
const COMPARATORS = Object.entries(SIGNS).map(([value, sign]) => ({
  value,
  text: `${sign} ${WORDS[value as Comparator]}`,
}))

export function Conditions({ draft, metrics, set, said }: PartProps & { metrics: Metrics }) {
  const { conditions } = draft
  const put = (at: number, change: Partial<ConditionDraft>, ...places: string[]): void =>
    set({ conditions: conditions.map((one, each) => (each === at ? { ...one, ...change } : one)) }, ...places)
  return (
    <>
      {conditions.map((condition, at) => (
        <fieldset key={at} class="goals-condition">
          <legend>{at === 0 ? 'Holds when' : 'and'}</legend>
          <div class="is-whole">
            <SelectField
              label="Metric"
              value={condition.metric}
              choices={metrics.metrics.map(({ metric }) => metric.path)}
              onPick={(metric) => put(at, { metric })}
            />
          </div>
          <SelectField
            label="Is"
            value={condition.comparator}
            choices={COMPARATORS}
            onPick={(comparator) => put(at, { comparator: comparator as Comparator })}
          />
          <TextField
            label="Threshold"
            value={condition.threshold}
            error={said(`threshold ${at}`)}
            onInput={(threshold) => put(at, { threshold }, `threshold ${at}`)}
          />
          <div class="is-whole row">
            <Meaning metrics={metrics} path={condition.metric} />
            {conditions.length > 1 && (
              <Button
                kind="quiet"
                label={`Take condition ${at + 1} out`}
                onClick={() => set({ conditions: conditions.filter((_one, each) => each !== at) })}
              >
                Take out
              </Button>
            )}
          </div>
        </fieldset>
      ))}
      <div>
        <Button
          disabled={conditions.length >= CONDITIONS_MAX}
          onClick={() => set({ conditions: [...conditions, EMPTY_CONDITION] })}
        >
          Another condition
        </Button>
      </div>
    </>
  )
}

function Meaning({ metrics, path }: { metrics: Metrics; path: string }) {
  const found = metrics.metrics.find(({ metric }) => metric.path === path)
  if (found === undefined) return <span class="hint grow">This metric is not known any more.</span>
  const { metric, value } = found
  return (
    <span class="hint grow">
      {metric.meaning}. Now {value === null ? 'unknown' : `${shown(value)} ${unitOf(metric.unit)}`.trim()}
      {metric.direction === 'up' && '; more is better'}
      {metric.direction === 'down' && '; less is better'}.
    </span>
  )
}
