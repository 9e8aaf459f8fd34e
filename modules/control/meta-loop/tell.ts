/** Tells people of an alert by every way there is. One that fails, or hangs, stops no other; it is written to the log. */
import type { FetchApi } from '../../contracts/services.ts'
import { reasonOf } from '../../lib/errors.ts'
import type { Alert } from './alerts.ts'
import type { Means } from './means.ts'

const WEBHOOK_MS = 10_000

type Sink = (means: Means, alert: Alert) => unknown

const SINKS: Readonly<Record<string, Sink>> = {
  events: ({ kernel }, { key, message }) => kernel.events.emit('meta.alert', { key, message, priority: 'high' }),
  inbox: ({ inbox }, { key, message }) => inbox.push({ source: 'alert', priority: 'high', payload: { key, message } }),
  log: ({ kernel }, { key, message }) => kernel.log.warn(message, { alert: key }),
  ledger: ({ ledger, kernel }, { key, message }) =>
    ledger.append({
      actor: kernel.api,
      origin: 'self',
      action: 'meta_alert',
      resource: 'service:meta-loop',
      outcome: 'ok',
      reason: message,
      payload: { key },
    }),
  webhook: async (means, alert) => {
    const { webhook } = means.config
    if (webhook !== null) await post(means, webhook, alert)
  },
}

export async function tell(means: Means, alert: Alert): Promise<void> {
  const { log } = means.kernel
  await Promise.all(
    Object.entries(SINKS).map(async ([name, sink]) => {
      try {
        await sink(means, alert)
      } catch (thrown) {
        log.warn(`${alert.key} is not told by ${name}: ${reasonOf(thrown)}`)
      }
    }),
  )
}

async function post({ kernel }: Means, url: string, { key, message }: Alert): Promise<void> {
  const { ok, status } = await kernel.getApi<FetchApi>('fetch').request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ alert: key, message, at: kernel.clock.now() }),
    timeout_ms: WEBHOOK_MS,
  })
  if (!ok) kernel.log.warn(`${key} is not told by webhook: it answered ${status}`)
}
