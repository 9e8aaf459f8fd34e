/** The assistant: a chat, whole or as server-sent events. */
import { z } from 'zod'
import type { ChatAnswer, ChatRequest, Usage } from '../../../contracts/services.ts'
import { coded } from '../../../lib/errors.ts'
import { entryOf } from '../entry.ts'
import { streamChat } from '../chat-stream.ts'
import { route, shape } from './route.ts'

const usage = shape<Usage>(
  'Usage',
  z.object({
    input_tokens: z.number(),
    output_tokens: z.number(),
    cached_tokens: z.number(),
    cost_usd: z.number().nullable(),
  }),
)

export const chatAnswer = shape<ChatAnswer>(
  'ChatAnswer',
  z.object({
    conversation_id: z.string(),
    answer: z.string(),
    status: z.enum(['done', 'parked', 'cut']),
    reason: z.string().exactOptional().describe('why it is cut, or the question it is parked with'),
    approval_id: z.string().exactOptional(),
    provider: z.string(),
    model: z.string(),
    steps: z.array(
      z.object({
        tool: z.string(),
        params: z.record(z.string(), z.unknown()),
        status: z.enum(['success', 'error']),
        ms: z.number(),
      }),
    ),
    prompt_hash: z.string(),
    usage: usage.nullable(),
  }),
)

const chatBody = z.object({
  message: z.string().describe('what you say'),
  conversation_id: z.string().optional().describe('goes on with that one'),
  provider: z.string().optional().describe('the inference service that answers'),
  stream: z.boolean().optional().describe('events while it is written, instead of one answer'),
})

export const chatRoutes = [
  route({
    id: 'chat.send',
    method: 'POST',
    path: '/api/chat',
    scope: 'operate',
    summary: 'Says something to the assistant',
    notes:
      '`stream: true` gives events while the answer is written. Hanging up cancels the turn; see [assistant.md](assistant.md).',
    verb: 'mm chat',
    own: true,
    body: chatBody,
    answer: chatAnswer,
    errors: ['chat_busy', 'chat_parked', 'chat_cancelled', 'chat_time'],
    act({ desk, body }) {
      const { message, conversation_id, provider, stream } = body
      const request: ChatRequest = {
        message,
        ...(conversation_id === undefined ? {} : { conversation_id }),
        ...(provider === undefined ? {} : { provider }),
      }
      if (stream === true && desk.idempotencyKey !== undefined)
        throw coded('bad_request', { reason: 'a stream cannot be kept: leave `stream` or the Idempotency-Key out' })
      if (stream === true) return streamChat(desk, request)
      const signal = desk.idempotencyKey === undefined ? { signal: desk.signal } : {}
      const { call, place } = entryOf(desk)
      return desk.assistant.with(call).chat({ ...request, trace: place, ...signal })
    },
  }),
]
