/**
 * The tour: each step says what to do by hand, does it at the press of a button, and looks at the system itself for what
 * came of it. Whoever did it, by whatever way, sees it marked as done.
 */
import { useEffect } from 'preact/hooks'
import { TOUR, type TourStep } from '../../../../cli/tour/steps.ts'
import { onEvent } from '../../api/stream.ts'
import { commandOf } from '../../commands.ts'
import { lookAgain } from '../../live/again.ts'
import { Action } from '../../parts/action.tsx'
import { Badge } from '../../parts/badge.tsx'
import { Button } from '../../parts/button.tsx'
import { Card } from '../../parts/card.tsx'
import { Said } from '../../parts/said.tsx'
import { PAGES } from '../../pages.ts'
import { hrefOf } from '../../route.ts'
import { keep, progress, startAnew, world, type Progress } from './world.ts'
import './tour.css'

const LOOK_MS = 2_000

const stepNow = (): TourStep | undefined => TOUR.find(({ id }) => progress.value[id] === undefined)

/** Whether the step is done already, by hand. */
async function look(): Promise<void> {
  const step = stepNow()
  if (step === undefined) return
  const found = await step.check(world)
  if (found !== undefined && progress.value[step.id] === undefined) keep(step.id, { outcome: 'done', found })
}

export default function Tour() {
  useEffect(() => {
    const again = lookAgain(look)
    again()
    const ends = ['service.*', 'kernel.*', 'proposal.*'].map((pattern) => onEvent(pattern, again))
    const timer = setInterval(() => document.hidden || again(), LOOK_MS)
    return () => {
      clearInterval(timer)
      for (const end of ends) end()
    }
  }, [])
  const now = stepNow()
  const done = Object.values(progress.value).filter(({ outcome }) => outcome === 'done').length
  return (
    <Card
      title={`Ten minutes: ${done} of ${TOUR.length} done`}
      actions={Object.keys(progress.value).length > 0 && <Button onClick={startAnew}>Start anew</Button>}
    >
      <p>
        Real services, real files, no key. Each step can be done by hand or by its button, and is marked as done when
        the system itself shows it.
      </p>
      <ol class="tour">
        {TOUR.map((step) => (
          <Step key={step.id} step={step} now={progress.value[step.id]} isNext={step === now} />
        ))}
      </ol>
    </Card>
  )
}

function Step({ step, now, isNext }: { step: TourStep; now: Progress | undefined; isNext: boolean }) {
  const page = PAGES.find(({ id }) => id === step.page)
  return (
    <li aria-current={isNext ? 'step' : undefined}>
      <div class={isNext ? 'tour-step is-next' : 'tour-step'}>
        <div class="row">
          <h3>{step.title}</h3>
          {now !== undefined && <Badge tone={now.outcome === 'done' ? 'good' : 'off'}>{now.outcome}</Badge>}
        </div>
        {now?.outcome === 'done' && (
          <p class="tour-found">
            <Said text={now.found} />
          </p>
        )}
        {isNext && (
          <>
            <p>{step.text}</p>
            <p class="dim">By hand: {step.hand}</p>
            <div class="row">
              <Action
                label="Do it"
                title={step.title}
                kind="primary"
                command={commandOf('tour')}
                preview={() => preview(step)}
                run={() => run(step)}
              />
              <Button onClick={() => keep(step.id, { outcome: 'skipped', found: '' })}>Skip</Button>
              {page !== undefined && <a href={hrefOf(page.id)}>See it in {page.title}</a>}
            </div>
          </>
        )}
      </div>
    </li>
  )
}

async function preview({ id, text, hand }: TourStep) {
  return (
    <>
      <p>{text}</p>
      <p>
        The page does what you would do by hand: {hand}. It touches files and services named tour, the kernel where the
        step says so, and nothing else.
      </p>
      {id === 'broken-kernel' && (
        <p>
          A page proposes a kernel as a change, and changes of the same service take turns: this one waits for the
          probation of the kernel before, up to a minute.
        </p>
      )}
    </>
  )
}

async function run(step: TourStep): Promise<string> {
  await step.act(world)
  const found = await step.check(world)
  if (found === undefined) return `${step.title}: the system shows nothing of it yet`
  keep(step.id, { outcome: 'done', found })
  return found
}
