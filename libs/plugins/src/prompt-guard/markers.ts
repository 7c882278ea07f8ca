import type { Family } from './rules.ts';

/** Text that means something to models or pages by its form. */
export interface Marker {
  readonly id: string;
  readonly family: Family;
  readonly weight: number;
  readonly text: string;
}

const marker = (id: string, weight: number, family: Family, ...texts: readonly string[]): Marker[] =>
  texts.map((text) => ({ id, family, weight, text }));

/** Looked for in folded text. */
export const MARKERS: readonly Marker[] = [
  ...marker(
    'chat-template',
    1,
    'markup',
    '<|im_start|>',
    '<|im_end|>',
    '<|system|>',
    '<|endoftext|>',
    '<|eot_id|>',
  ),
  ...marker(
    'chat-template',
    1,
    'markup',
    '<|start_header_id|>',
    '<<sys>>',
    '<</sys>>',
    '[/inst]',
    '<start_of_turn>',
  ),
  ...marker('chat-template', 0.6, 'markup', '[inst]', '<|user|>', '<|assistant|>', '</s><s>'),
  ...marker('system-tag-closed', 0.8, 'markup', '</system>', '[/system]'),
  ...marker('system-tag', 0.7, 'markup', '<system>', '[system]', '</system_prompt>', '[system message]'),
  ...marker(
    'system-tag',
    0.7,
    'markup',
    '</user_input>',
    '</instructions>',
    '</user>',
    '</context>',
    '</prompt>',
    '{{#system',
  ),
  ...marker('fence', 0.3, 'markup', '---end', '*** end', '***end', '=== end', '---begin', '### end'),
  ...marker(
    'end-of-prompt',
    0.8,
    'markup',
    'end of prompt',
    'end of system prompt',
    'end of user input',
    'end system prompt',
  ),
  ...marker(
    'end-of-prompt',
    0.7,
    'markup',
    'end of instructions',
    'begin new instructions',
    'begin system',
    'start of new prompt',
  ),
  ...marker(
    'role-in-json',
    0.9,
    'markup',
    '"role":"system"',
    '"role": "system"',
    "'role': 'system'",
    'role=system',
  ),
  ...marker(
    'system-override',
    0.9,
    'override',
    'system override',
    'admin override',
    'override code',
    'priority override',
  ),
  ...marker('do-anything-now', 1, 'role-play', 'do anything now', 'developer mode enabled', 'jailbreak mode'),
  ...marker(
    'you-are-now',
    0.6,
    'role-play',
    'you are now',
    'you will now act',
    'you are going to act',
    'from now on you',
  ),
  ...marker(
    'stay-in-character',
    0.4,
    'role-play',
    'stay in character',
    'break character',
    'in character',
    'no matter what i ask',
  ),
  ...marker('jailbreak-answer', 0.6, 'role-play', '[jailbreak]', '[classic]'),
  ...marker('two-answers', 0.5, 'role-play', 'two responses', 'opposite of what'),
  ...marker(
    'you-are-text',
    0.7,
    'extraction',
    "starting with 'you are",
    'starting with "you are',
    'text above',
    'words above',
  ),
  ...marker(
    'you-are-text',
    0.7,
    'extraction',
    'everything above this',
    'above this line',
    'begins with "you are',
    'system prompt:',
  ),
  ...marker(
    'if-you-are-a-machine',
    0.8,
    'indirect',
    'if you are an ai',
    "if you're an ai",
    'if you are a language',
    'if you are an llm',
    'if you are a model',
  ),
  ...marker(
    'note-to-machine',
    0.8,
    'indirect',
    'note to ai',
    'attention ai',
    'ai instructions:',
    'instructions for ai',
    'dear ai',
  ),
  ...marker(
    'note-to-machine',
    0.8,
    'indirect',
    'message to the ai',
    'note to the assistant',
    'attention assistant',
    'hey assistant',
  ),
  ...marker('comment', 0.2, 'indirect', '<!--'),
  ...marker(
    'hidden-text',
    0.4,
    'indirect',
    'display:none',
    'display: none',
    'font-size:0',
    'font-size: 0',
    'color:white',
    'color: white',
  ),
  ...marker(
    'query-placeholder',
    0.5,
    'exfiltration',
    '?q={',
    '?data={',
    '?d={',
    '?data=[',
    '?q=[',
    '?leak=',
    '?data=<',
    '?secret=',
  ),
  ...marker(
    'query-placeholder',
    0.5,
    'exfiltration',
    '?c={',
    '?data=$',
    '?info=',
    '/log?',
    '/collect?',
    '?history=',
    '?conversation=',
  ),
  ...marker(
    'take-no-notice',
    0.7,
    'override',
    'pay no attention to',
    'take no notice of',
    'tiens plus compte',
  ),
  ...marker(
    'take-no-notice',
    0.7,
    'multilingual',
    'tiens pas compte',
    'tenez pas compte',
    'tenez plus compte',
  ),
  ...marker(
    'take-no-notice',
    0.7,
    'multilingual',
    'no hagas caso',
    'не обращаи внимания',
    'не обращаите внимания',
  ),
  ...marker(
    'take-no-notice',
    0.7,
    'multilingual',
    'tenere conto',
    'leve em conta',
    'trek je niets aan',
    'tengas en cuenta',
  ),
  ...marker(
    'new-instructions',
    0.7,
    'override',
    'new instructions:',
    'updated instructions:',
    'new system prompt',
  ),
  ...marker(
    'for-the-machine',
    0.7,
    'indirect',
    'for the assistant:',
    'to the assistant:',
    'for the ai:',
    'to the ai:',
  ),
  ...marker(
    'for-the-machine',
    0.7,
    'indirect',
    'note for the ai',
    'note for language models',
    'note to llm',
    'note for ai',
  ),
  ...marker(
    'image-link',
    0.3,
    'exfiltration',
    '![](http',
    '![x](http',
    '![a](http',
    '![img](http',
    '![image](http',
  ),
  ...marker('json-break-out', 0.3, 'markup', '"}]', "'}]"),
  ...marker(
    'unbound',
    0.5,
    'role-play',
    'not bound by',
    'no rules apply',
    'not limited by',
    'not subject to any',
    'free from all',
  ),
  ...marker('query', 0.3, 'exfiltration', '?q=', '?data=', '?d=', '?c=', '?s=', '?p='),
  ...marker('link', 0.2, 'exfiltration', '](http'),
  ...marker('fence', 0.3, 'markup', '--- end', '### response', '=== begin'),
];

/** Starts of lines that imitate a turn of the conversation, or a heading above instructions. */
const LINE_STARTS: readonly (readonly [text: string, weight: number])[] = [
  ['system:', 0.7],
  ['[system', 0.5],
  ['### system:', 0.9],
  ['### system\n', 0.9],
  ['## system\n', 0.8],
  ['# system\n', 0.8],
  ['### system', 0.4],
  ['### instruction', 0.8],
  ['###system', 0.8],
  ['## user\n', 0.3],
  ['# system', 0.2],
  ['## system', 0.3],
  ['### new', 0.5],
  ['new instructions:', 0.9],
  ['new instruction:', 0.9],
  ['new task:', 0.5],
  ['### user', 0.3],
  ['user:', 0.1],
  ['assistant:', 0.3],
  ['developer:', 0.4],
  ['admin:', 0.4],
  ['system message', 0.5],
  ['system note', 0.6],
  ['important:', 0.15],
];

const LOOKED_AT = 24;

/** Weights of the lines of folded text that begin like a turn, with their places. One pass. */
export const turnsIn = (
  text: string,
): { readonly at: number; readonly weight: number; readonly start: string }[] => {
  const found: { at: number; weight: number; start: string }[] = [];
  let at = 0;
  while (at >= 0 && at < text.length) {
    let from = at;
    while (from < at + 8 && (text[from] === ' ' || text[from] === '\t' || text[from] === '>')) from += 1;
    const head = text.slice(from, from + LOOKED_AT);
    const hit = LINE_STARTS.find(([start]) => head.startsWith(start));
    if (hit !== undefined) found.push({ at: from, weight: hit[1], start: hit[0] });
    const next = text.indexOf('\n', at);
    if (next < 0) break;
    at = next + 1;
  }
  return found;
};

const WIDTH = 128;
/** Markers by their first two characters, where both are ASCII. */
const BY_START: (Marker[] | undefined)[] = new Array(WIDTH * WIDTH).fill(undefined);
const BEYOND_ASCII: Marker[] = [];
for (const one of MARKERS) {
  const [a, b] = [one.text.charCodeAt(0), one.text.charCodeAt(1)];
  if (a >= WIDTH || b >= WIDTH) BEYOND_ASCII.push(one);
  else (BY_START[a * WIDTH + b] ??= []).push(one);
}
const isLowerLetter = (code: number): boolean => code >= 97 && code <= 122;

/** Each marker's first place in folded text, in one pass. One that begins with a letter begins a word. */
export const markersIn = (text: string): ReadonlyMap<Marker, number> => {
  const found = new Map<Marker, number>();
  let before = 0;
  let code = text.charCodeAt(0);
  for (let at = 0; at + 1 < text.length; at++) {
    const next = text.charCodeAt(at + 1);
    if (code < WIDTH && next < WIDTH && !(isLowerLetter(code) && isLowerLetter(before))) {
      const starting = BY_START[code * WIDTH + next];
      if (starting !== undefined)
        for (const one of starting) if (!found.has(one) && text.startsWith(one.text, at)) found.set(one, at);
    }
    before = code;
    code = next;
  }
  for (const one of BEYOND_ASCII) {
    const at = text.indexOf(one.text);
    if (at >= 0) found.set(one, at);
  }
  return found;
};
