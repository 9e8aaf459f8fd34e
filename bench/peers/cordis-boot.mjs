/**
 * One boot of Cordis, in a process of its own, for bench/cordis.ts: prints the milliseconds from nothing running to the
 * last plugin active. Plain JavaScript, so that no TypeScript hook of the benchmark slows its imports; imports of the
 * framework itself come before the clock starts. Arguments: cordis|core|import, the folder, the number of services.
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Context } from '@deepseek-ai/cordis'
import '@deepseek-ai/cordis-plugin-include'
import { Loader } from '@deepseek-ai/cordis-plugin-loader'

const [, , kind, folder = '', countText] = process.argv
const names = Array.from({ length: Number(countText) }, (_, index) => `s${index}`)
const importAll = () =>
  Promise.all(names.map((name) => import(pathToFileURL(join(folder, 'plugins', `${name}.mjs`)).href)))

/** As its command line starts it. */
async function withLoader(root) {
  root.baseUrl = pathToFileURL(join(folder, '/')).href
  await root.plugin(Loader)
  await root.loader.create({ name: '@deepseek-ai/cordis-plugin-include', config: { path: './cordis.yml' } })
  await root.loader.await()
}

async function coreAlone(root) {
  const modules = await importAll()
  await Promise.all(modules.map(({ default: plugin }) => root.plugin(plugin, { version: 0 })))
}

const since = performance.now()
const root = new Context()
await { cordis: withLoader, core: coreAlone, import: importAll }[kind](root)
const ms = performance.now() - since
for (const name of kind === 'import' ? [] : names)
  if (root.get(name).answer() !== 0) throw new Error(`${name} does not answer`)
console.log(JSON.stringify({ ms }))
process.exit(0)
