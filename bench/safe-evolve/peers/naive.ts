/** The order of the paper: write, shut the old one down, unload it, import the new one under a new name, construct it. */
import { begin, load, serve, services } from './host.ts'

await serve(async (name) => {
  const old = services.get(name)
  await old?.instance.shutdown?.()
  old?.stop.abort()
  services.delete(name)
  const next = await load(name)
  services.set(name, next)
  begin(next)
})
