/**
 * Looks for a server that speaks OpenAI's protocol at ports of this machine, all at once: Ollama, LM Studio, llama.cpp
 * and vLLM all list their models at `/v1/models`. Never any other host; what answers otherwise is not one of them.
 */
import { z } from 'zod'

interface Local {
  url: string
  chatModel: string
  embeddingModel: string
}

const HOST = '127.0.0.1'
const LIST_CHARS_MAX = 1024 * 1024
const listSchema = z.object({ data: z.array(z.object({ id: z.string().min(1) })) })
/** Models that do not chat, by the names they usually have. */
const EMBEDS = /embed|bge-|minilm/i
const OTHER = /rerank|whisper|tts|clip/i

/** `wanted`: the model that must be there. The earlier port goes first. */
export async function findLocal(
  ports: readonly number[],
  probeMs: number,
  wanted: string | undefined,
  key: string | undefined,
): Promise<Local | { missing: string }> {
  const lists = await Promise.all(ports.map(async (port) => ({ port, ids: await modelsAt(port, probeMs, key) })))
  for (const { port, ids } of lists) {
    const chatModel = ids.find((id) => (wanted === undefined ? !EMBEDS.test(id) && !OTHER.test(id) : id === wanted))
    if (chatModel === undefined) continue
    return {
      url: `http://${HOST}:${port}/v1`,
      chatModel,
      embeddingModel: ids.find((id) => EMBEDS.test(id)) ?? chatModel,
    }
  }
  const there = lists.flatMap(({ ids }) => ids)
  const where = `${HOST} at port ${ports.join(', ')}`
  if (there.length === 0) return { missing: `no model server on ${where}` }
  return { missing: `no model ${wanted ?? 'to chat with'} on ${where}, only ${there.slice(0, 10).join(', ')}` }
}

/** Empty when nobody answers in time, or not like a model server. */
async function modelsAt(port: number, probeMs: number, key: string | undefined): Promise<string[]> {
  try {
    const parsed = listSchema.safeParse(JSON.parse(await readList(port, AbortSignal.timeout(probeMs), key)))
    return parsed.success ? parsed.data.data.map(({ id }) => id) : []
  } catch {
    return []
  }
}

async function readList(port: number, signal: AbortSignal, key: string | undefined): Promise<string> {
  const headers = { accept: 'application/json', ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) }
  const response = await fetch(`http://${HOST}:${port}/v1/models`, { signal, headers, redirect: 'error' })
  const decoder = new TextDecoder()
  let text = ''
  for await (const bytes of response.body ?? []) {
    text += decoder.decode(bytes as Uint8Array, { stream: true })
    if (text.length > LIST_CHARS_MAX) throw new Error('too long for a list of models')
  }
  return response.ok ? text : ''
}
