/**
 * The order of hot module replacement, as Cordis has it: import and construct the new one first, keep the old one when that
 * fails, end the old one when the new one stands. What nobody catches does not end the process.
 */
import { begin, load, serve, services } from './host.ts'

process.on('uncaughtException', () => undefined)

await serve(async (name) => {
  const next = await load(name)
  const old = services.get(name)
  services.set(name, next)
  begin(next)
  old?.stop.abort()
  await old?.instance.shutdown?.()
})
