/**
 * `mm doctor`: is everything there that a system needs, and what is wrong with the one that runs? Looks, explains, and
 * says what to do. With `--repair` it also mends what is safe to mend, which are files the system has written itself;
 * a human's file is never touched. Each check is one line: ok, or what is wrong and how to mend it.
 */
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { ProviderInfo } from '../modules/contracts/inference.ts'
import type { KernelInfo, KernelStatus, ServiceStatus } from '../modules/contracts/kernel.ts'
import { describeError, reasonOf, toErrorData } from '../modules/lib/errors.ts'
import { holderOf } from '../modules/lib/lock.ts'
import { inspect } from './configs.ts'
import { Client, readAddress } from './client.ts'
import { fine, wrong, type Finding } from './finding.ts'
import { allServices } from './lists.ts'
import { checkMachine } from './machine-checks.ts'
import { print, printJson, red } from './output.ts'
import { withProgress } from './progress.ts'
import { checkRuntime } from './runtime-checks.ts'
import type { Command } from 'commander'
import { prints, type Cli, type Common } from './common.ts'

const LOG_TAIL_BYTES = 65_536
const ERROR_LEVEL = 50

/** A finding that was mended is no longer wrong. */
type Told = Omit<Finding, 'repair'> & { repaired: boolean }

async function doctor(
  { root, json }: Common,
  options: { repair: boolean },
  setExitCode: (code: number) => void,
): Promise<void> {
  const findings = await withProgress('looking', async (tell) => {
    const found = [nodeVersion(), ...(await checkMachine(root)), ...(await checkRuntime(root))]
    tell('loading every module')
    found.push(...(await configs(root)))
    tell('asking the system')
    return [...found, ...(await running(root))]
  })
  const told: Told[] = []
  for (const finding of findings) told.push(await tellOf(finding, options.repair))
  if (told.some((one) => !one.ok && !one.repaired)) setExitCode(1)
  if (json) {
    printJson(told)
    return
  }
  for (const { check, ok, message, hint, repaired } of told) {
    print(`${ok ? 'ok   ' : repaired ? 'mended' : red('wrong')}  ${check}: ${message}`)
    if (hint !== '' && !repaired) print(`       ${hint}`)
  }
  if (!options.repair && findings.some(({ repair }) => repair !== undefined))
    print('`mm doctor --repair` mends what the system itself has left behind.')
}

async function tellOf({ repair, ...finding }: Finding, may: boolean): Promise<Told> {
  if (!may || repair === undefined) return { ...finding, repaired: false }
  try {
    await repair()
    return { ...finding, repaired: true }
  } catch (thrown) {
    return { ...finding, message: `${finding.message}; mending it failed: ${reasonOf(thrown)}`, repaired: false }
  }
}

function nodeVersion(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const version = `Node ${process.versions.node}`
  return major > 20 || (major === 20 && minor >= 19)
    ? fine('node', version)
    : wrong('node', `${version} is too old`, 'Use Node 20.19, 22, 24 or 26.')
}

async function configs(root: string): Promise<Finding[]> {
  try {
    const { services, errors } = await inspect(root)
    if (errors.length === 0) return [fine('configs', `${services} services can be loaded`)]
    return errors.map((error) => wrong('configs', describeError(error), error.hint))
  } catch (thrown) {
    const { message, hint } = toErrorData(thrown)
    return [wrong('configs', message, hint)]
  }
}

async function running(root: string): Promise<Finding[]> {
  const holder = holderOf(join(root, 'runtime', 'lock'))
  if (readAddress(root) === undefined) return [holder === undefined ? nobody() : withoutAddress(root, holder.pid)]
  if (holder === undefined) return [nobody()]
  try {
    const client = new Client(root)
    const status = await client.get<KernelStatus & KernelInfo>('/api/kernel')
    const services = await allServices(client)
    return [
      fine('system', `kernel ${status.version} answers at ${client.address.url}, up ${status.uptime_s} s`),
      ...refusedKernels(status),
      ...services.flatMap(unwell),
      ...(await providers(client, services)),
    ]
  } catch (thrown) {
    const { message, hint } = toErrorData(thrown)
    return [wrong('system', message, hint)]
  }
}

/** One that is ready is enough; why the others are not is no fault. */
async function providers(client: Client, services: readonly ServiceStatus[]): Promise<Finding[]> {
  const found = services.filter(({ prog, state }) => prog.startsWith('inference/') && state === 'live')
  const told: { api: string; ready: boolean; text: string }[] = []
  for (const { api } of found) {
    const { result } = await client
      .ask('POST /api/services/{api}/call', { params: { api }, body: { method: 'describe' } })
      .catch((thrown: unknown) => {
        const { code, message } = toErrorData(thrown)
        return { result: code === 'method_not_found' ? undefined : { ready: false, model: '', note: message } }
      })
    // Not all that stands beside the providers is one: `ask_model` is a tool over them.
    if (result === undefined) continue
    const { ready, model, note } = result as ProviderInfo
    told.push({ api, ready, text: ready ? `${api} is ready: ${model}` : `${api} is not ready: ${note}` })
  }
  if (told.length === 0) return []
  const text = told.map((one) => one.text).join('; ')
  if (told.some((one) => one.ready)) return [fine('providers', text)]
  return [
    wrong(
      'providers',
      text,
      'Set the environment variable its config names, or start a server on this machine: docs/inference.md.',
    ),
  ]
}

const nobody = (): Finding => fine('system', 'none runs for this root')

/** It runs, and cannot be asked: the log knows why, for instance `port_in_use`. */
function withoutAddress(root: string, pid: number): Finding {
  const last = lastError(root)
  const reason = last === undefined ? '' : `; the last error: ${last}`
  const hint = 'It is starting, or its service `http` did not start: `mm logs`, then change configs/http.yml.'
  return wrong('system', `process ${pid} runs, and offers no HTTP API${reason}`, hint)
}

function lastError(root: string): string | undefined {
  const path = join(root, 'runtime', 'logs', 'mm.log')
  if (!existsSync(path)) return undefined
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    const buffer = Buffer.alloc(Math.min(size, LOG_TAIL_BYTES))
    readSync(file, buffer, 0, buffer.length, size - buffer.length)
    const lines = buffer.toString('utf8').split('\n').flatMap(errorIn)
    return lines.at(-1)
  } finally {
    closeSync(file)
  }
}

function errorIn(line: string): string[] {
  try {
    const { level = 0, msg = '' } = JSON.parse(line) as { level?: number; msg?: string }
    return level >= ERROR_LEVEL ? [msg] : []
  } catch {
    return []
  }
}

function refusedKernels({ versions }: KernelInfo): Finding[] {
  return versions.flatMap(({ meta_file, state, error }) => {
    if (state !== 'refused') return []
    const reason = error === null ? '' : `: ${describeError(error)}`
    const hint = 'Fix its files, or remove the meta file; `mm kernel swap` tries it at once.'
    return [wrong('kernel', `${meta_file} was refused${reason}`, hint)]
  })
}

function unwell({ api, state, stale, last_error, last_good, generation }: ServiceStatus): Finding[] {
  if (state === 'live' && !stale) return []
  if (last_good !== null && last_error !== null) {
    const what = `its last good version of ${new Date(last_good).toISOString()} serves as g${generation}`
    const repair = `Fix the file: saving it starts it. Or \`mm undo ${api}\` writes the last good bytes back.`
    return [wrong(api, `${what}: ${describeError(last_error)}`, repair)]
  }
  const serving = generation === null ? 'nothing serves' : `g${generation} serves`
  const reason = last_error === null ? '' : `: ${describeError(last_error)}`
  const what = state === 'live' ? 'what runs is not what stands on disk' : state
  return [wrong(api, `${what}, ${serving}${reason}`, last_error?.hint ?? `mm show ${api}`)]
}

export function addDoctor(program: Command, { common, setExitCode }: Cli): void {
  prints(
    program
      .command('doctor')
      .description('look at everything, and say what is wrong and what to do')
      .option('--repair', 'mend what the system itself has left behind; never a file of yours', false)
      .action((options: { repair: boolean }) => doctor(common(), options, setExitCode)),
    '[{check, ok, message, hint, repaired}]',
  )
}
