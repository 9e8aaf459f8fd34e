/** How far a change has come: its stages as bars, the one it stands at named. */
import { Badge } from '../../parts/badge.tsx'
import { meaningOf, stagesOf, toneOf, type ProposalState, type Reached, type Stage } from './stages.ts'
import './changes.css'

const SAID: Readonly<Record<Stage['is'], string>> = {
  done: 'done',
  now: 'here',
  stopped: 'ended here',
  open: 'not yet',
}

/** `named`: with the name of each stage under its bar. */
export interface TrackProps {
  state: ProposalState
  /** what is known of it beyond its state */
  reached?: Reached
  named?: boolean
}

export function Track({ state, reached, named = false }: TrackProps) {
  return (
    <ol class={named ? 'changes-track is-named' : 'changes-track'} aria-label="Stages">
      {stagesOf(state, reached).map(({ name, is }) => (
        <li
          key={name}
          class={`changes-stage is-${is} is-${toneOf(state)}`}
          aria-current={is === 'now' ? 'step' : undefined}
        >
          <span class={named ? 'changes-stage-name' : 'unseen'}>
            {name}
            <span class="unseen">: {SAID[is]}</span>
          </span>
        </li>
      ))}
    </ol>
  )
}

export function ChangeBadge({ state }: { state: ProposalState }) {
  return (
    <Badge tone={toneOf(state)} title={meaningOf(state)}>
      {state}
    </Badge>
  )
}
