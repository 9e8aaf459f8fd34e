/** “Would this be allowed?”: a question, and the verdict with the rule that decides. Nothing is done and nothing counted. */
import { useState } from 'preact/hooks'
import { ask, refusalOf, type ApiAnswer, type Refusal } from '../../api/client.ts'
import { Button } from '../../parts/button.tsx'
import { Card } from '../../parts/card.tsx'
import { CommandLine } from '../../parts/command-line.tsx'
import { SelectField, TextField } from '../../parts/field.tsx'
import { Failure } from '../../parts/states.tsx'
import { services } from '../../live/index.ts'
import {
  changeOf,
  faultOf,
  KINDS,
  NOTHING,
  PRESETS,
  questionCommand,
  valueAt,
  type Asked,
  type Json,
  type Kind,
} from './asked.ts'
import { Verdict } from './verdict.tsx'

type Answer = ApiAnswer<'POST /api/policy/check'>
type Told = { at: 'nothing' } | { at: 'asking' } | { at: 'told'; answer: Answer } | { at: 'failed'; error: Refusal }

/** What stands there now: distances are measured from it. */
async function oldOf({ kind, path, key }: Asked): Promise<Json | undefined> {
  if (kind !== 'value') return undefined
  const service = services.value?.find(({ config_file }) => config_file === path)?.api
  if (service === undefined) return undefined
  const { configs } = await ask('GET /api/configs', { query: { service } })
  const config = configs.find(({ file }) => file === path)
  return config === undefined ? undefined : valueAt(config.values, key)
}

export function Question() {
  const [asked, setAsked] = useState<Asked>(NOTHING)
  const [told, setTold] = useState<Told>({ at: 'nothing' })
  const fault = faultOf(asked)
  const set = (change: Partial<Asked>): void => {
    setAsked((before) => ({ ...before, ...change }))
    setTold({ at: 'nothing' })
  }
  const check = async (question: Asked): Promise<void> => {
    setTold({ at: 'asking' })
    const actor = question.actor.trim()
    try {
      const change = changeOf(question, await oldOf(question))
      const body = { changes: [change], ...(actor === '' ? {} : { actor }) }
      setTold({ at: 'told', answer: await ask('POST /api/policy/check', { body }) })
    } catch (thrown) {
      setTold({ at: 'failed', error: refusalOf(thrown) })
    }
  }
  const command = fault === undefined ? questionCommand(asked) : undefined
  return (
    <div class="columns">
      <Card title="Would this be allowed?">
        <form
          class="stack"
          onSubmit={(event) => {
            event.preventDefault()
            if (fault === undefined) void check(asked)
          }}
        >
          <Presets
            onPick={(preset) => {
              const question = { ...NOTHING, actor: asked.actor, ...preset }
              set(question)
              void check(question)
            }}
          />
          <Fields asked={asked} set={set} />
          <div class="row">
            <Button type="submit" kind="primary" disabled={fault !== undefined} busy={told.at === 'asking'}>
              Ask
            </Button>
            {fault !== undefined && <span class="dim">{fault}</span>}
            {command !== undefined && <CommandLine command={command} />}
          </div>
        </form>
      </Card>
      <Card title="What the policy says">
        <div aria-live="polite">
          <Said told={told} />
        </div>
      </Card>
    </div>
  )
}

function Presets({ onPick }: { onPick: (preset: (typeof PRESETS)[number]['asked']) => void }) {
  return (
    <div class="row" role="group" aria-label="Questions people ask first">
      {PRESETS.map(({ title, asked }) => (
        <Button key={title} onClick={() => onPick(asked)}>
          {title}
        </Button>
      ))}
    </div>
  )
}

function Said({ told }: { told: Told }) {
  switch (told.at) {
    case 'nothing':
      return <p class="dim">Ask about a change of the system by itself: nothing is done, and nothing is counted.</p>
    case 'asking':
      return <p class="dim">It is asked …</p>
    case 'told':
      return <Verdict verdict={told.answer.verdict} asked />
    case 'failed':
      return <Failure error={told.error} />
    default:
      return told satisfies never
  }
}

interface FieldsProps {
  asked: Asked
  set: (change: Partial<Asked>) => void
}

function Fields({ asked, set }: FieldsProps) {
  return (
    <>
      <div class="filters">
        <SelectField
          label="What"
          value={asked.kind}
          choices={Object.entries(KINDS).map(([value, text]) => ({ value, text }))}
          onPick={(kind) => set({ kind: kind as Kind })}
        />
        <TextField label="Who" value={asked.actor} placeholder="operator" onInput={(actor) => set({ actor })} />
      </div>
      <KindFields asked={asked} set={set} />
    </>
  )
}

function KindFields({ asked, set }: FieldsProps) {
  const all = services.value ?? []
  switch (asked.kind) {
    case 'value':
      return <ValueFields asked={asked} set={set} />
    case 'file':
      return (
        <div class="filters">
          <TextField label="File" value={asked.path} placeholder="modules/…" onInput={(path) => set({ path })} />
          <SelectField
            label="It would be"
            value={asked.operation}
            choices={[
              { value: 'modify', text: 'changed' },
              { value: 'create', text: 'made' },
              { value: 'delete', text: 'deleted' },
            ]}
            onPick={(operation) => set({ operation: operation as Asked['operation'] })}
          />
        </div>
      )
    case 'tool':
      return (
        <>
          <TextField label="Tool" value={asked.tool} onInput={(tool) => set({ tool })} />
          <TextField label="Parameters, JSON" lines={3} value={asked.params} onInput={(params) => set({ params })} />
        </>
      )
    case 'grant':
      return (
        <div class="filters">
          <TextField
            label="Service"
            value={asked.service}
            choices={all.map(({ api }) => api)}
            onInput={(service) => set({ service })}
          />
          <TextField
            label="Grant"
            value={asked.grant}
            placeholder="database.query"
            onInput={(grant) => set({ grant })}
          />
        </div>
      )
    default:
      return asked.kind satisfies never
  }
}

function ValueFields({ asked, set }: FieldsProps) {
  return (
    <>
      <TextField
        label="Config"
        value={asked.path}
        placeholder="configs/services/http.yml"
        choices={(services.value ?? []).map(({ config_file }) => config_file)}
        onInput={(path) => set({ path })}
      />
      <div class="filters">
        <TextField label="Key" value={asked.key} placeholder="section.key" onInput={(key) => set({ key })} />
        <TextField label="New value" value={asked.value} onInput={(value) => set({ value })} />
      </div>
    </>
  )
}
