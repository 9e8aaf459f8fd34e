/**
 * What a view shows of the API: loading, failed, or the value; asked again when events say that it may have changed, and
 * after the connection came back. While it is asked again the value before stays, so nothing flickers.
 */
import { useEffect, useRef, useState } from 'preact/hooks'
import { lookAgain } from '../live/again.ts'
import { ask, refusalOf, type ApiAnswer, type ApiCall, type Refusal } from './client.ts'
import type { ApiArguments } from '../../../cli/api.ts'
import { connection, onEvent } from './stream.ts'

export type Asked<T> =
  | { state: 'loading'; value: undefined; again: () => void }
  /** `value`: the last one that came, when there was one */
  | { state: 'failed'; error: Refusal; value: T | undefined; again: () => void }
  | { state: 'ready'; value: T; again: () => void }

export interface AskOptions {
  /** patterns of events after which it is asked again, as `['proposal.*']` */
  on?: readonly string[]
  /** also every so many milliseconds, while the page is looked at */
  every_ms?: number
  /** false: it is not asked at all */
  when?: boolean
}

/** `const changes = useAsk({on: ['proposal.*']}, 'GET /api/changes', {query: {limit: 50}})`. */
export function useAsk<K extends ApiCall>(
  options: AskOptions,
  call: K,
  ...given: ApiArguments<K>
): Asked<ApiAnswer<K>> {
  return useLoad(options, [call, JSON.stringify(given)], () => ask(call, ...given))
}

type Outcome<T> = { key: string; value?: T; error?: Refusal }

/** The same for what takes several calls: `load` is called again when `keys` change. */
export function useLoad<T>(
  { on = [], every_ms, when = true }: AskOptions,
  keys: readonly unknown[],
  load: () => Promise<T>,
): Asked<T> {
  const key = JSON.stringify(keys)
  const [outcome, setOutcome] = useState<Outcome<T>>({ key })
  const latest = useRef({ key, load })
  latest.current = { key, load }
  const again = useRef(
    lookAgain(async () => {
      const asked = latest.current
      const told = await asked.load().then(
        (value) => ({ value }),
        (thrown: unknown) => ({ error: refusalOf(thrown) }),
      )
      // Another question has been asked meanwhile: its answer is on the way.
      if (asked.key !== latest.current.key) return
      setOutcome((before) => ({
        ...(before.key === asked.key && 'error' in told ? { value: before.value as T } : {}),
        key: asked.key,
        ...told,
      }))
    }),
  ).current
  useEffect(() => {
    if (!when) return undefined
    again()
    const ends = on.map((pattern) => onEvent(pattern, again))
    let state = connection.value.state
    const end = connection.subscribe((now) => {
      if (now.state === 'open' && state === 'lost') again()
      state = now.state
    })
    const timer = every_ms === undefined ? undefined : setInterval(() => document.hidden || again(), every_ms)
    return () => {
      for (const one of [...ends, end]) one()
      clearInterval(timer)
    }
  }, [key, when, on.join(' '), every_ms])
  if (outcome.key !== key || !('value' in outcome || 'error' in outcome))
    return { state: 'loading', value: undefined, again }
  if (outcome.error !== undefined) return { state: 'failed', error: outcome.error, value: outcome.value, again }
  return { state: 'ready', value: outcome.value as T, again }
}
