/** `mm packages`: what modules asked for and what became of it; confirm, deny, remove. A confirmed install is waited for. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { PackageRequest } from '../modules/contracts/services.ts'
import { coded } from '../modules/lib/errors.ts'
import { Client } from './client.ts'
import { print, printJson, table } from './output.ts'
import type { Command } from 'commander'
import { prints, type Cli, type Common } from './common.ts'

const ASK_MS = 200

const call = async <T>(client: Client, method: string, ...args: unknown[]): Promise<T> =>
  (await client.post<{ result: T }>('/api/services/packages/call', { method, args })).result

async function listPackages({ root, json }: Common): Promise<void> {
  const { packages } = await call<{ packages: PackageRequest[] }>(new Client(root), 'list')
  if (json) printJson(packages)
  else if (packages.length === 0) print('nobody asked for a package')
  else {
    const rows = packages.map((one) => [one.id, one.state, one.requested_by.join(', '), one.error ?? one.reason])
    print(table([['PACKAGE', 'STATE', 'ASKED BY', 'WHY'], ...rows]))
  }
}

async function decidePackage({ root, json }: Common, how: 'confirm' | 'deny' | 'remove', id: string): Promise<void> {
  const client = new Client(root)
  let request = await call<PackageRequest>(client, how, id, client.operatorToken)
  if (request.state === 'confirmed' && !json) print(`installing ${id} …`)
  while (request.state === 'confirmed') {
    await sleep(ASK_MS)
    const { packages } = await call<{ packages: PackageRequest[] }>(client, 'list')
    request = packages.find((one) => one.id === id) ?? request
  }
  if (json) printJson(request)
  else print(`${id} ${request.state}${request.integrity === null ? '' : `  ${request.integrity}`}`)
  if (request.state === 'failed') throw coded('package_refused', { id, reason: request.error ?? '' })
}

const REQUEST = '{id, name, version, reason, requested_by, state, requested_at, decided_at, integrity, error}'

export function addPackages(program: Command, { common }: Cli): void {
  const packages = prints(
    program
      .command('packages')
      .description('npm packages that modules asked for, and what became of them')
      .action(() => listPackages(common())),
    `[${REQUEST}]`,
  )
  for (const how of ['confirm', 'deny', 'remove'] as const) {
    prints(
      packages
        .command(`${how} <id>`)
        .description(`${how} one, by its id, as chromadb@3.5.0`)
        .action((id: string) => decidePackage(common(), how, id)),
      REQUEST,
    )
  }
}
