/**
 * `mm types`: what an editor needs to know of a running system, written to runtime/types/. `services.d.ts` types
 * `kernel.getApi('database')` by the modules that are live; `schemas/` holds a JSON Schema for each service's config.
 */
import { mkdirSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import type { Command } from 'commander'
import type { ConfigSchema } from '../modules/contracts/kernel.ts'
import { realFileSystem } from '../modules/lib/file-system.ts'
import { Client } from './client.ts'
import { prints, type Cli, type Common } from './common.ts'
import { allServices } from './lists.ts'
import { dim, print, printJson } from './output.ts'

const FOLDER = 'runtime/types'

async function types({ root, json }: Common): Promise<void> {
  const client = new Client(root)
  const services = await allServices(client)
  const call = { params: { api: 'kernel' }, body: { method: 'schemas' } }
  const schemas = (await client.ask('POST /api/services/{api}/call', call)).result as ConfigSchema[]
  const folder = join(root, FOLDER)
  mkdirSync(join(folder, 'schemas'), { recursive: true })
  const typed = services.filter(({ source_file }) => source_file !== null && /\.[cm]?ts$/.test(source_file))
  const lines = typed.map(({ api, source_file }) => {
    const from = relative(folder, resolve(root, source_file ?? ''))
    return `    ${JSON.stringify(api)}: InstanceType<typeof import(${JSON.stringify(from.startsWith('.') ? from : `./${from}`)}).Module>`
  })
  const text = `// Written by \`mm types\`: what getApi('…') gives.
import 'meta-machine'

declare module 'meta-machine' {
  interface Services {
${lines.join('\n')}
  }
}
`
  const written = [`${FOLDER}/services.d.ts`]
  realFileSystem.write(join(root, FOLDER, 'services.d.ts'), text)
  const byFile: Record<string, string> = {}
  for (const { api, config_file, schema } of schemas) {
    const file = `${FOLDER}/schemas/${api.replaceAll('/', '_')}.schema.json`
    realFileSystem.write(join(root, file), `${JSON.stringify(schema, null, 2)}\n`)
    byFile[`./${file}`] = config_file
    written.push(file)
  }
  realFileSystem.write(join(root, FOLDER, 'yaml-schemas.json'), `${JSON.stringify(byFile, null, 2)}\n`)
  written.push(`${FOLDER}/yaml-schemas.json`)
  if (json) {
    printJson({ written })
    return
  }
  print(`${FOLDER}/services.d.ts: ${typed.length} services typed; ${schemas.length} schemas in ${FOLDER}/schemas/`)
  print(
    dim(
      `Add ${FOLDER} to "include" of tsconfig.json; ${FOLDER}/yaml-schemas.json is the value for "yaml.schemas" of VS Code.`,
    ),
  )
}

export function addTypes(program: Command, { common }: Cli): void {
  prints(
    program
      .command('types')
      .description("types of what getApi('…') gives, and schemas of the configs, for editors")
      .action(() => types(common())),
    '{written}',
  )
}
