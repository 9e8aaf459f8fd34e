/** What the doctor finds: asked for by a press, since it loads every module in a process of its own. */
import { Fragment } from 'preact'
import { useState } from 'preact/hooks'
import { ask, refusalOf, type ApiAnswer, type Refusal } from '../../api/client.ts'
import { commandOf } from '../../commands.ts'
import { Badge } from '../../parts/badge.tsx'
import { Button } from '../../parts/button.tsx'
import { Card } from '../../parts/card.tsx'
import { CommandLine } from '../../parts/command-line.tsx'
import { Said } from '../../parts/said.tsx'
import { Failure, Loading } from '../../parts/states.tsx'
import { Time } from '../../parts/time.tsx'

type Look = ApiAnswer<'GET /api/doctor'>
type Told = { at: 'nothing' } | { at: 'looking' } | { at: 'told'; look: Look } | { at: 'failed'; error: Refusal }

export function Doctor() {
  const [told, setTold] = useState<Told>({ at: 'nothing' })
  const look = async (): Promise<void> => {
    setTold({ at: 'looking' })
    try {
      setTold({ at: 'told', look: await ask('GET /api/doctor') })
    } catch (thrown) {
      setTold({ at: 'failed', error: refusalOf(thrown) })
    }
  }
  return (
    <Card title="Doctor" actions={<CommandLine command={commandOf('doctor')} />}>
      <div class="stack">
        <div class="row">
          <Button busy={told.at === 'looking'} onClick={() => void look()}>
            Look at everything
          </Button>
          <span class="dim">
            The machine, runtime/, every config and module, and what runs. It takes seconds, and mends nothing.
          </span>
        </div>
        <div aria-live="polite">
          <Answer told={told} />
        </div>
      </div>
    </Card>
  )
}

function Answer({ told }: { told: Told }) {
  switch (told.at) {
    case 'nothing':
      return null
    case 'looking':
      return <Loading label="The doctor" />
    case 'told':
      return <Findings look={told.look} />
    case 'failed':
      return <Failure error={told.error} />
    default:
      return told satisfies never
  }
}

function Findings({ look: { at, findings } }: { look: Look }) {
  const wrong = findings.filter(({ ok }) => !ok)
  const fine = findings.filter(({ ok }) => ok)
  return (
    <div class="stack">
      <p>
        <Badge tone={wrong.length === 0 ? 'good' : 'bad'}>
          {wrong.length === 0 ? 'nothing is wrong' : `${wrong.length} wrong`}
        </Badge>{' '}
        <span class="dim">
          {findings.length} checks, <Time at={at} />
        </span>
      </p>
      {wrong.length > 0 && (
        <ul class="items">
          {wrong.map(({ check, message, hint }) => (
            <li key={`${check} ${message}`}>
              <div class="row">
                <strong>{check}</strong>
                <span>
                  <Said text={message} />
                </span>
              </div>
              <p class="dim">
                <Said text={hint} />
              </p>
            </li>
          ))}
        </ul>
      )}
      <details>
        <summary>{fine.length} checks are fine</summary>
        <dl class="facts">
          {fine.map(({ check, message }) => (
            <Fragment key={`${check} ${message}`}>
              <dt>{check}</dt>
              <dd>{message}</dd>
            </Fragment>
          ))}
        </dl>
      </details>
    </div>
  )
}
