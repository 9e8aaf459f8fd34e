/** The tools over the Model Context Protocol: the service `mcp` answers, and knows who may. */
import { z } from 'zod'
import { OPERATOR } from '../../../lib/tokens.ts'
import { askMcp } from '../mcp.ts'
import { route } from './route.ts'

const common = {
  path: '/mcp',
  scope: 'open',
  raw: true,
  body: z.custom<Request>(),
  answer: z.custom<Response>(),
} as const
const notes =
  'Streamable HTTP. Needs the token of the system, or one of those in the config of the service mcp: [mcp.md](mcp.md).'

export const mcpRoutes = [
  route({
    ...common,
    id: 'mcp.send',
    method: 'POST',
    summary: 'A message of an MCP client',
    notes,
    act: ({ desk, body }) => askMcp(desk.kernel, body, desk.asker?.name === OPERATOR),
  }),
  route({
    ...common,
    id: 'mcp.end',
    method: 'DELETE',
    summary: 'Ends a session of MCP',
    act: ({ desk, body }) => askMcp(desk.kernel, body, desk.asker?.name === OPERATOR),
  }),
]
