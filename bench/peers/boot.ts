/**
 * One boot of ours, in a process of its own, for bench/cordis.ts: prints the milliseconds from nothing running to the
 * last service live. The kernel is loaded by the loader, so that is inside; the loader itself is imported before the
 * clock starts. Arguments: the folder, the number of services.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestRoot } from '../../test/support/root.ts'
import { startSystem } from '../../test/support/system.ts'

const [, , folder = '', countText = '0'] = process.argv
const count = Number(countText)

const unused = (): never => {
  throw new Error('a boot writes no file')
}

/** The root belongs to the benchmark: it is there for the next boot too. */
const root: TestRoot = {
  path: folder,
  read: (file) => readFileSync(join(folder, file), 'utf8'),
  write: unused,
  writeByRename: unused,
  remove: unused,
  dispose: () => {},
}

const since = performance.now()
const system = await startSystem(root)
const ms = performance.now() - since
const live = Object.values(system.kernel.status().services).filter(({ state }) => state === 'live')
// The kernel is a service too.
if (live.length !== count + 1) throw new Error(`${live.length} of ${count + 1} services are live`)
for (let index = 0; index < count; index++)
  if ((await system.getApi(`s${index}`)['answer']?.()) !== 0) throw new Error(`s${index} does not answer`)
await system.stop()
console.log(JSON.stringify({ ms }))
process.exit(0)
