/** Which inference service answers a turn, and with which prompt: the one its own config names, else the assistant's. */
import type { KernelApi } from '../../contracts/module.ts'
import type { InferenceApi, ProviderInfo } from '../../contracts/services.ts'
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

async function choose(
  kernel: KernelApi,
  config: Config,
  asked: string | undefined,
): Promise<{ provider: string; info: ProviderInfo | undefined }> {
  const describe = async (name: string): Promise<ProviderInfo> =>
    kernel.getApi<InferenceApi>(name).with({ deadlineMs: DESCRIBE_MS }).describe()
  const named = asked ?? (config.provider === 'auto' ? undefined : config.provider)
  // A named one that cannot be described says why when it is asked for an answer.
  if (named !== undefined) return { provider: named, info: await describe(named).catch(() => undefined) }
  const reasons: string[] = []
  for (const name of config.providers) {
    try {
      const info = await describe(name)
      if (info.ready) return { provider: name, info }
      reasons.push(`${name}: ${info.note}`)
    } catch (error) {
      reasons.push(`${name}: ${reasonOf(error)}`)
    }
  }
  throw coded('no_provider', { reason: reasons.join('; ') })
}
