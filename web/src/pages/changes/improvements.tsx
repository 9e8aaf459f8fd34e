/** What models were asked to improve, and the form that asks for one more. */
import { useState } from 'preact/hooks'
import { ask, type ApiAnswer } from '../../api/client.ts'
import { useAsk } from '../../api/use-ask.ts'
import { services } from '../../live/index.ts'
import { Action } from '../../parts/action.tsx'
import { Badge, type Tone } from '../../parts/badge.tsx'
import { Card } from '../../parts/card.tsx'
import { SelectField, TextField } from '../../parts/field.tsx'
import { choiceOf } from '../../parts/provider.ts'
import { AskedView, Empty } from '../../parts/states.tsx'
import { Table, type Column } from '../../parts/table.tsx'
import { Time } from '../../parts/time.tsx'
import { go, hrefOf, type Route } from '../../route.ts'
import { Facts } from './facts.tsx'
import { faultOf, wishBody, wishCommand, type Wish } from './wish.ts'

export type Improvement = ApiAnswer<'GET /api/improve/{id}'>

export const IMPROVEMENT_TONES: Readonly<Record<Improvement['state'], Tone>> = {
  running: 'busy',
  submitted: 'good',
  given_up: 'warn',
  over_budget: 'warn',
  failed: 'bad',
}

const COLUMNS: readonly Column<Improvement>[] = [
  { title: 'Goal', cell: ({ id, goal }) => `${id} · ${short(goal)}`, isHead: true },
  { title: 'Service', cell: ({ service }) => service, sort: ({ service }) => service, isExtra: true },
  { title: 'State', cell: ({ state }) => <Badge tone={IMPROVEMENT_TONES[state]}>{state}</Badge> },
  { title: 'Answers', cell: ({ attempts }) => attempts.length, isNumber: true, isExtra: true },
  { title: 'Cost', cell: ({ cost_usd }) => `$${Number(cost_usd.toPrecision(3))}`, isNumber: true, isExtra: true },
  { title: 'Change', cell: ({ proposal_id }) => proposal_id ?? '–', isExtra: true },
  { title: 'Began', cell: ({ started_at }) => <Time at={started_at} />, isExtra: true },
]

const GOAL_MAX = 60
const short = (goal: string): string => (goal.length > GOAL_MAX ? `${goal.slice(0, GOAL_MAX)}…` : goal)

export function Improvements({ query }: { query: Route['query'] }) {
  const asked = useAsk({ on: ['improvement.*', 'proposal.*'], every_ms: 5_000 }, 'GET /api/improve')
  return (
    <div class="stack">
      <Ask service={query['service'] ?? ''} />
      <Card title="Improvements" flush>
        <AskedView asked={asked} label="Improvements">
          {({ improvements }) => (
            <Table
              label="Improvements"
              columns={COLUMNS}
              rows={improvements}
              keyOf={({ id }) => id}
              hrefOf={({ id }) => hrefOf('changes', [id])}
              empty={
                <Empty title="Nothing has been asked for yet">
                  Name a service and what should become better. A model answers, every answer is checked, and what
                  passes waits for you as a proposed change.
                </Empty>
              }
            />
          )}
        </AskedView>
      </Card>
    </div>
  )
}

function Ask({ service }: { service: string }) {
  const [wish, setWish] = useState<Wish>({ service, goal: '', provider: '', budget: '', tries: '' })
  const set = (change: Partial<Wish>): void => setWish((before) => ({ ...before, ...change }))
  const names = (services.value ?? []).map(({ api }) => api)
  const missing = faultOf(wish, names)
  const providers = useAsk({ on: ['service.live', 'service.stopped'] }, 'GET /api/chat/providers')
  // Without an assistant nobody says which of them is ready.
  const asked = providers.value?.providers.map(choiceOf) ?? inference()
  return (
    <Card title="Ask for an improvement">
      <div class="stack">
        <div class="filters">
          <TextField label="Service" value={wish.service} choices={names} onInput={(text) => set({ service: text })} />
          <SelectField
            label="Who is asked"
            value={wish.provider}
            choices={[{ value: '', text: 'The first that is ready' }, ...asked]}
            onPick={(provider) => set({ provider })}
          />
          <TextField
            label="Budget, dollars"
            type="number"
            value={wish.budget}
            placeholder="as configured"
            onInput={(budget) => set({ budget })}
          />
          <TextField
            label="Answers at most"
            type="number"
            value={wish.tries}
            placeholder="as configured"
            onInput={(tries) => set({ tries })}
          />
        </div>
        <TextField
          label="Goal"
          lines={2}
          value={wish.goal}
          placeholder="What should become better, and what must not change"
          onInput={(goal) => set({ goal })}
        />
        <div class="row">
          <Action
            label="Ask a model"
            kind="primary"
            command={wishCommand(wish)}
            disabled={missing !== undefined}
            {...(missing === undefined ? {} : { reason: missing })}
            preview={() => blastRadius(wish)}
            run={() => begin(wish)}
          />
          {missing !== undefined && <span class="dim">{missing}</span>}
        </div>
      </div>
    </Card>
  )
}

const inference = (): string[] =>
  (services.value ?? []).filter(({ prog }) => prog.startsWith('inference/')).map(({ api }) => api)

/** Asking changes nothing yet: who is asked about, what is known of it, what it may cost. */
async function blastRadius({ service, provider, budget, tries }: Wish) {
  const [about, recorded] = await Promise.all([
    ask('GET /api/services/{api}', { params: { api: service } }),
    ask('GET /api/services/{api}/recordings', { params: { api: service } }).catch(() => undefined),
  ])
  return (
    <>
      <p>
        A model is shown the goal, the sources of {service} and recorded calls. Nothing is written: an answer that
        passes every check becomes a proposed change, which is judged by the policy.
      </p>
      <Facts
        facts={[
          [
            'Serves now',
            about.generation === null ? 'nothing' : `g${about.generation} of ${about.source_file ?? 'its config'}`,
          ],
          [
            'Recorded calls',
            recorded === undefined || recorded.total === 0
              ? 'none: little can be said about an answer without them'
              : `${recorded.total}, which an answer has to make alike`,
          ],
          ['Who is asked', provider === '' ? 'the first that is ready' : provider],
          ['Budget', budget === '' ? 'as configured' : `$${budget}`],
          ['Answers at most', tries === '' ? 'as configured' : tries],
        ]}
      />
    </>
  )
}

async function begin(wish: Wish) {
  const begun = await ask('POST /api/improve', { body: wishBody(wish) })
  const href = hrefOf('changes', [begun.id])
  go(href)
  return { tone: 'good' as const, text: `${begun.id}: a model is asked to improve ${wish.service}`, href }
}
