/** A rule of one's own: its parts beside what it would have said of the last 100 snapshots, drawn while it is typed. */
import { useState } from 'preact/hooks'
import { ask } from '../../api/client.ts'
import { useLoad } from '../../api/use-ask.ts'
import { Card } from '../../parts/card.tsx'
import { CheckField, SelectField, TextField } from '../../parts/field.tsx'
import { AskedView, Failure } from '../../parts/states.tsx'
import { ChangeFields } from './change-fields.tsx'
import { Conditions } from './conditions.tsx'
import { ALTITUDES, draftOf, EMPTY, ruleOf, wrongIn, type RuleDraft } from './draft.ts'
import { Preview } from './preview.tsx'
import type { Metrics } from './rules.tsx'
import { SaveRule } from './save.tsx'

async function read(name: string | undefined) {
  const [metrics, { rules }] = await Promise.all([
    ask('GET /api/meta/metrics'),
    ask('GET /api/meta/rules', { query: { type: 'custom', limit: 500 } }),
  ])
  return { metrics, found: rules.find(({ rule }) => rule.name === name)?.rule }
}

/** `name`: of a rule that is there, to be changed. */
export function Builder({ name }: { name: string | undefined }) {
  const asked = useLoad({}, [name ?? null], () => read(name))
  return (
    <AskedView asked={asked} label="Metrics">
      {({ metrics, found }) =>
        name !== undefined && found === undefined ? (
          <Failure error={{ code: 'rule_invalid', message: `There is no rule ${name} of your own`, hint: '' }} />
        ) : (
          <Form first={found === undefined ? EMPTY : draftOf(found)} metrics={metrics} isNew={found === undefined} />
        )
      }
    </AskedView>
  )
}

interface FormProps {
  first: RuleDraft
  metrics: Metrics
  isNew: boolean
}

function Form({ first, metrics, isNew }: FormProps) {
  const [draft, setDraft] = useState(first)
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set())
  const wrong = wrongIn(draft)
  const set = (change: Partial<RuleDraft>, ...places: string[]): void => {
    setDraft((before) => ({ ...before, ...change }))
    setTouched((before) => new Set([...before, ...places]))
  }
  // Nobody is told that what they have not typed yet is wrong.
  const said = (place: string): string | undefined => (touched.has(place) ? wrong[place] : undefined)
  const rule = ruleOf(draft)
  return (
    <div class="goals-builder">
      <Card
        title={isNew ? 'A rule of your own' : `Change ${first.name}`}
        actions={<SaveRule rule={rule} disabled={Object.keys(wrong).length > 0} />}
      >
        <div class="stack">
          {isNew && (
            <TextField
              label="Name"
              value={draft.name}
              placeholder="slow_shop"
              error={said('name')}
              onInput={(name) => set({ name }, 'name')}
            />
          )}
          <Conditions draft={draft} metrics={metrics} set={set} said={said} />
          <SelectField
            label="Severity"
            value={draft.severity}
            choices={['info', 'warning', 'critical']}
            onPick={(severity) => set({ severity: severity as RuleDraft['severity'] })}
          />
          <TextField label="Description" value={draft.description} onInput={(description) => set({ description })} />
          <Altitudes draft={draft} set={set} error={wrong['altitudes']} />
          <ChangeFields draft={draft} set={set} said={said} />
          <CheckField label="Switched on" checked={draft.enabled} onPick={(enabled) => set({ enabled })} />
        </div>
      </Card>
      <Preview
        rule={rule}
        isWhole={!Object.keys(wrong).some((place) => place.startsWith('threshold'))}
        metrics={metrics}
      />
    </div>
  )
}

export interface PartProps {
  draft: RuleDraft
  /** `places`: what was touched */
  set: (change: Partial<RuleDraft>, ...places: string[]) => void
  /** what is wrong there, once it was touched */
  said: (place: string) => string | undefined
}

function Altitudes({
  draft: { altitudes },
  set,
  error,
}: Pick<PartProps, 'draft' | 'set'> & { error: string | undefined }) {
  return (
    <fieldset class="goals-choices">
      <legend>What it may lead to</legend>
      {ALTITUDES.map((one) => (
        <CheckField
          key={one}
          label={one}
          checked={altitudes.includes(one)}
          onPick={(on) =>
            set({ altitudes: ALTITUDES.filter((each) => (each === one ? on : altitudes.includes(each))) })
          }
        />
      ))}
      {error !== undefined && <span class="hint is-bad">{error}</span>}
    </fieldset>
  )
}
