/** Formats in which applications send prompts to language models. */
export const PROMPT_FORMATS = ['openai', 'bedrock', 'gemini'] as const;
export type PromptFormat = (typeof PROMPT_FORMATS)[number];

/** One message of a conversation; `text` is all its text, also where it stands in parts. */
export interface PromptMessage {
  readonly role: string;
  readonly text: string;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Text of a content: a string, or the texts of a list of parts. Undefined when it is neither. */
const textOf = (content: unknown): string | undefined => {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return undefined;
  const texts: string[] = [];
  for (const part of content) {
    if (typeof part === 'string') texts.push(part);
    else if (!isRecord(part)) return undefined;
    else if (typeof part.text === 'string') texts.push(part.text);
  }
  return texts.join(' ');
};

/** An assistant's tool calls come without a content. */
const messageOf = (message: unknown, contentKey: string): PromptMessage | undefined => {
  if (!isRecord(message)) return undefined;
  const role = message.role ?? (contentKey === 'parts' ? 'user' : undefined); // Gemini's single turns have none
  const content = message[contentKey];
  const text = content === undefined || content === null ? '' : textOf(content);
  return typeof role === 'string' && text !== undefined ? { role, text } : undefined;
};

/** The conversation in a request body; undefined when there is none or a part of it cannot be read. */
export const readPrompt = (body: Buffer, format: PromptFormat): readonly PromptMessage[] | undefined => {
  let request: unknown;
  try {
    request = JSON.parse(body.toString());
  } catch {
    return undefined; // not JSON: nothing that could be judged
  }
  if (!isRecord(request)) return undefined;
  const [listKey, contentKey] = format === 'gemini' ? ['contents', 'parts'] : ['messages', 'content'];
  const list = request[listKey];
  if (list === undefined) {
    const prompt = textOf(request.prompt);
    return prompt === undefined ? undefined : [{ role: 'user', text: prompt }];
  }
  if (!Array.isArray(list)) return undefined;
  const messages = list.map((message) => messageOf(message, contentKey));
  return messages.includes(undefined) ? undefined : (messages as PromptMessage[]);
};
