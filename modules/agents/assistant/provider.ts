/** Which inference service answers a turn, and with which prompt: the one its own config names, else the assistant's. */
import type { KernelApi } from '../../contracts/module.ts'
import type { InferenceApi, ProviderChoice, ProviderInfo } from '../../contracts/services.ts'
import { coded, reasonOf } from '../../lib/errors.ts'
import type { Config } from './config.ts'

const DESCRIBE_MS = 5_000

export interface Plan {
  provider: string
  /** kept for the whole turn, whatever becomes of the file */
  prompt: { text: string; hash: string }
  /** false: its config wants no tools */
  tools: boolean
}

export async function planTurn(kernel: KernelApi, config: Config, asked: string | undefined): Promise<Plan> {
  const { provider, info } = await choose(kernel, config, asked)
  const prompt = kernel.prompt(info?.prompt_file ?? config.prompt_file)
  return { provider, prompt, tools: info?.tool_use ?? true }
}

const describe = async (kernel: KernelApi, name: string): Promise<ProviderInfo> =>
  kernel.getApi<InferenceApi>(name).with({ deadlineMs: DESCRIBE_MS }).describe()

/** Who may answer; `chosen` is the one that would. */
export async function providersOf(kernel: KernelApi, config: Config): Promise<ProviderChoice[]> {
  const { provider, providers } = config
  const names = provider === 'auto' ? providers : [provider, ...providers.filter((name) => name !== provider)]
  const asked = await Promise.all(
    names.map(async (name): Promise<Omit<ProviderChoice, 'chosen'>> => {
      try {
        const info = await describe(kernel, name)
        return { name, info, reason: info.ready ? null : info.note }
      } catch (thrown) {
        return { name, info: null, reason: reasonOf(thrown) }
      }
    }),
  )
  const chosen = provider === 'auto' ? asked.find(({ info }) => info?.ready === true)?.name : provider
  return asked.map((one) => ({ ...one, chosen: one.name === chosen }))
}

async function choose(
  kernel: KernelApi,
  config: Config,
  asked: string | undefined,
): Promise<{ provider: string; info: ProviderInfo | undefined }> {
  const named = asked ?? (config.provider === 'auto' ? undefined : config.provider)
  // A named one that cannot be described says why when it is asked for an answer.
  if (named !== undefined) return { provider: named, info: await describe(kernel, named).catch(() => undefined) }
  const reasons: string[] = []
  for (const name of config.providers) {
    try {
      const info = await describe(kernel, name)
      if (info.ready) return { provider: name, info }
      reasons.push(`${name}: ${info.note}`)
    } catch (error) {
      reasons.push(`${name}: ${reasonOf(error)}`)
    }
  }
  throw coded('no_provider', { reason: reasons.join('; ') })
}
