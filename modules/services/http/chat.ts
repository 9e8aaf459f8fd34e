/**
 * The routes of the assistant: a chat, whole or as server-sent events, and the decisions its turns wait for. Whoever hangs
 * up cancels the turn it was waiting for, also while nothing is being sent.
 */
import type { Context, Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import type { Handle, KernelApi } from '../../contracts/module.ts'
import type { AssistantApi, ChatRequest } from '../../contracts/services.ts'
import { coded, toErrorData } from '../../lib/errors.ts'
import type { Served } from './app.ts'
import { readBody } from './body.ts'

export function addChatRoutes(
  app: Hono<{ Bindings: Served }>,
  { kernel, assistant: api }: { kernel: KernelApi; assistant: string },
): void {
  const assistant = kernel.getApi<AssistantApi>(api)
  app.post('/api/chat', async (context) => chat(assistant, context))
  app.get('/api/approvals', async (context) => context.json({ approvals: await assistant.parked() }))
  app.post('/api/approvals/:id', async (context) => {
    const { approved, by, note } = await readBody(context)
    const decision = { approved: approved as boolean, by: by as string }
    const noted = note === undefined ? decision : { ...decision, note: note as string }
    return context.json(await assistant.decide(context.req.param('id'), noted))
  })
}

async function chat(assistant: Handle<AssistantApi>, context: Context): Promise<Response> {
  const body = await readBody(context)
  const { message, conversation_id, provider, stream } = body
  for (const [name, value] of Object.entries({ conversation_id, provider })) {
    if (value !== undefined && typeof value !== 'string')
      throw coded('bad_request', { reason: `\`${name}\` must be text` })
  }
  const left = new AbortController()
  const request = {
    message: message as string,
    ...(conversation_id === undefined ? {} : { conversation_id }),
    ...(provider === undefined ? {} : { provider }),
    signal: AbortSignal.any([context.req.raw.signal, left.signal]),
  } as ChatRequest
  if (stream !== true) return context.json(await assistant.chat(request))
  return streamSSE(context, async (out) => {
    out.onAbort(() => left.abort())
    try {
      for await (const event of assistant.chatStream(request)) {
        if (out.aborted) return
        await out.writeSSE({ event: event.type, data: JSON.stringify(event) })
      }
    } catch (error) {
      const { code, message: text, hint } = toErrorData(error)
      const data = JSON.stringify({ type: 'error', error: { code, message: text, hint } })
      await out.writeSSE({ event: 'error', data })
    }
  })
}
