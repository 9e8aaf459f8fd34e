/** A state in one word: by color and by text, never by color alone. */
import type { ComponentChildren } from 'preact'
import type { ServiceStatus } from '../live/index.ts'

/** `good` serves, `busy` is on its way, `warn` needs a look, `bad` failed, `off` is meant to be so, `info` is only said. */
export type Tone = 'good' | 'busy' | 'warn' | 'bad' | 'off' | 'info'

export interface BadgeProps {
  tone: Tone
  children: ComponentChildren
  /** said in full when it is pointed at */
  title?: string
}

export function Badge({ tone, children, title }: BadgeProps) {
  return (
    <span class={`badge is-${tone}`} title={title}>
      {children}
    </span>
  )
}

const TONES: Record<ServiceStatus['state'], Tone> = {
  waiting: 'warn',
  starting: 'busy',
  live: 'good',
  switching: 'busy',
  draining: 'busy',
  stopped: 'off',
  failed: 'bad',
  tripped: 'bad',
  quarantined: 'bad',
}

export const toneOfState = (state: ServiceStatus['state']): Tone => TONES[state]

/** The state of a service. */
export function StateBadge({ state }: { state: ServiceStatus['state'] }) {
  return <Badge tone={TONES[state]}>{state}</Badge>
}
