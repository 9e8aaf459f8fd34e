/** Points and lengths of time. */
import { signal } from '@preact/signals'

/** Moves on while the page is looked at: ages grow by themselves. */
const now = signal(Date.now())
setInterval(() => {
  if (!document.hidden) now.value = Date.now()
}, 1_000)

export interface TimeProps {
  /** epoch milliseconds; null: it never was */
  at: number | null
  /** `ago`: how long ago; `clock`: the time of day, with the date where it was another day. @default 'ago' */
  as?: 'ago' | 'clock'
}

export function Time({ at, as = 'ago' }: TimeProps) {
  if (at === null) return <span class="dim">never</span>
  const date = new Date(at)
  return (
    <time dateTime={date.toISOString()} title={clockOf(at, 0)}>
      {as === 'ago' ? `${ageOf(Math.max(0, now.value - at))} ago` : clockOf(at, now.value)}
    </time>
  )
}

const two = (value: number): string => String(value).padStart(2, '0')

/** `08:15:02`, or `2026-11-20 08:15:02` of another day than `today`. */
export function clockOf(at: number, today: number): string {
  const date = new Date(at)
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  if (date.toDateString() === new Date(today).toDateString()) return clock
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock}`
}

/** `14 ms`, `3 s`, `12 min`, `5 h`, `3 d`. */
export function ageOf(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${Math.floor(ms / 1_000)} s`
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)} h`
  return `${Math.floor(ms / 86_400_000)} d`
}
