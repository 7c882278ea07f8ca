import type { Concept } from './concepts.ts';

/** Kinds of attack, as the evaluation and the verdict name them. */
export const FAMILIES = [
  'override',
  'role-play',
  'extraction',
  'markup',
  'encoding',
  'multilingual',
  'indirect',
  'splitting',
  'exfiltration',
  'obfuscation',
] as const;
export type Family = (typeof FAMILIES)[number];

/** Concepts that follow each other with at most `gap` other words before each. */
export interface Rule {
  readonly id: string;
  readonly family: Family;
  /** 1 is enough for a verdict. */
  readonly weight: number;
  readonly steps: readonly (readonly Concept[])[];
  readonly gap: number;
  /** The first word must be an order: at the start of a sentence, or after please, you must and the like. */
  readonly isOrder?: boolean;
}

const rule = (
  id: string,
  family: Family,
  weight: number,
  gap: number,
  steps: readonly (Concept | readonly Concept[])[],
  isOrder = false,
): Rule => ({
  id,
  family,
  weight,
  gap,
  steps: steps.map((step) => (typeof step === 'string' ? [step] : step)),
  isOrder,
});

/** What is looked for. Weights were set on the tuning half of the corpus alone. */
export const RULES: readonly Rule[] = [
  // Instruction override
  rule('override-prior-instructions', 'override', 0.7, 4, ['override', 'prior', 'promptWord']),
  rule('order-override-prior-instructions', 'override', 0.5, 4, ['override', 'prior', 'promptWord'], true),
  rule('override-prior-rules', 'override', 0.5, 4, ['override', 'prior', 'instr'], true),
  rule('override-all-above', 'override', 0.7, 3, ['override', 'all', 'prior'], true),
  rule('you-override-your-instructions', 'override', 0.9, 2, ['you', 'override', 'you', 'instr']),
  rule('override-instructions-prior', 'override', 1, 5, ['override', 'instr', 'prior'], true),
  rule('override-all-instructions', 'override', 1, 3, ['override', 'all', ['instr', 'limits']], true),
  rule(
    'override-your-instructions',
    'override',
    1,
    3,
    ['override', 'you', ['instr', 'sysprompt', 'limits']],
    true,
  ),
  rule(
    'lift-your-limits',
    'override',
    1,
    3,
    ['weakOverride', 'you', ['instr', 'sysprompt', 'limits']],
    true,
  ),
  rule(
    'override-system-prompt',
    'override',
    1,
    3,
    ['override', ['system', 'sysprompt'], ['instr', 'sysprompt']],
    true,
  ),
  rule(
    'override-prior-context',
    'override',
    0.5,
    4,
    ['override', ['all', 'you'], 'prior', ['weakInstr', 'instr']],
    true,
  ),
  rule(
    'override-what-was-said',
    'override',
    1,
    4,
    ['override', 'all', ['you', 'prior'], ['weakInstr', 'prior', 'instr']],
    true,
  ),
  rule('never-follow-prior', 'override', 1, 4, ['never', 'follow', ['prior', 'you', 'all'], 'instr']),
  rule('put-aside-instructions', 'override', 1, 4, ['phrasal', 'away', ['prior', 'you', 'all'], ['instr', 'promptWord']], true),
  rule('cancel-all-prior-instructions', 'override', 1, 3, ['weakOverride', 'all', 'prior', ['instr', 'promptWord']], true),
  rule('cancel-all-prior-context', 'override', 0.7, 3, ['weakOverride', 'all', 'prior', 'weakInstr'], true),
  rule('override-task-you-were-given', 'override', 1, 3, ['override', 'weakInstr', 'you', 'weakInstr'], true),
  rule('what-you-were-told-is-void', 'override', 0.8, 5, [['all', 'what'], 'you', 'weakInstr', ['override2', 'longer']]),
  rule('no-longer-in-force', 'override', 0.5, 3, [['instr', 'weakInstr', 'promptWord'], 'longer', 'override2']),
  rule('your-only-job', 'override', 0.4, 1, ['you', 'only', 'weakInstr']),
  rule('changed-by-authority', 'override', 0.4, 4, ['instr', 'override2', 'authority']),
  rule('override-prior', 'override', 0.25, 1, ['override', 'prior'], true),
  rule('prior-instructions', 'override', 0.3, 1, ['prior', 'promptWord']),
  rule('instructions-prior', 'override', 0.3, 1, ['promptWord', 'prior']),
  rule('override-all-prior', 'override', 0.7, 6, ['override', 'all', 'weakInstr', 'prior'], true),
  rule('override-your-task', 'override', 0.6, 3, [['override', 'weakOverride'], 'you', 'weakInstr'], true),
  rule('prior-instructions-override', 'multilingual', 1, 4, [
    'prior',
    ['instr', 'promptWord'],
    'overrideLast',
  ]),
  rule('all-instructions-override', 'multilingual', 0.8, 3, ['all', ['instr', 'promptWord'], 'overrideLast']),
  rule('system-prompt-reveal', 'multilingual', 1, 4, [
    ['system', 'sysprompt'],
    ['promptWord', 'sysprompt', 'instr'],
    'revealLast',
  ]),
  rule('new-instructions', 'override', 0.4, 3, [
    'newWord',
    'promptWord',
    ['follow', 'override', 'you', 'reveal'],
  ]),
  rule('instructions-void', 'override', 0.7, 5, [['prior', 'you', 'all'], 'instr', 'override2']),
  rule('instructions-above-void', 'override', 0.7, 4, ['instr', 'prior', 'override2']),
  rule('new-instructions-follow', 'override', 0.6, 5, ['follow', ['newWord', 'only'], 'instr'], true),
  rule('your-new-task', 'override', 0.6, 3, ['you', 'newWord', ['instr', 'weakInstr']]),
  rule('only-obey-me', 'override', 0.5, 4, ['only', 'follow', 'instr']),
  rule('authority-orders', 'override', 0.4, 10, ['authority', 'override', 'instr']),
  // Role play and jailbreak
  rule('you-are-now', 'role-play', 0.4, 3, ['you', 'nowWord', ['jailbreak', 'unrestricted', 'privileged']]),
  rule('you-are-unrestricted', 'role-play', 0.8, 8, ['you', 'unrestricted', ['machine', 'modeWord', 'user']]),
  rule('act-unrestricted', 'role-play', 1, 10, ['act', ['unrestricted', 'jailbreak']]),
  rule('act-without-limits', 'role-play', 0.85, 10, ['act', 'without', 'limits']),
  rule('machine-without-limits', 'role-play', 0.8, 6, ['machine', 'without', 'limits']),
  rule('you-without-limits', 'role-play', 0.7, 8, ['you', 'without', ['all', 'limits'], 'limits']),
  rule('answer-without-limits', 'role-play', 0.7, 5, ['follow', 'without', 'limits'], true),
  rule('privileged-mode', 'role-play', 0.9, 1, [
    'privileged',
    'modeWord',
    ['nowWord', 'you', 'follow', 'override', 'act', 'unrestricted'],
  ]),
  rule('enter-privileged-mode', 'role-play', 0.9, 6, [['nowWord', 'act', 'you'], 'privileged', 'modeWord']),
  rule('imagine-you-are-a-machine', 'role-play', 0.3, 3, ['act', 'you', 'machine']),
  rule('limits-without-answer', 'role-play', 0.7, 2, ['limits', 'without', 'follow']),
  rule('never-refuse', 'role-play', 0.8, 3, ['never', 'refuse', ['all', 'user', 'instr', 'you']]),
  rule('named-jailbreak', 'role-play', 0.7, 6, [['act', 'you', 'nowWord'], 'jailbreak']),
  rule('limits-lifted', 'role-play', 0.8, 6, ['you', 'limits', 'override2']),
  rule('act-harmful', 'role-play', 0.5, 14, ['act', 'harmful']),
  // System-prompt extraction
  rule(
    'reveal-system-prompt',
    'extraction',
    1,
    5,
    ['reveal', ['system', 'sysprompt', 'prior'], ['instr', 'sysprompt', 'weakInstr']],
    true,
  ),
  rule('reveal-your-prompt', 'extraction', 1, 6, ['reveal', 'you', ['promptWord', 'sysprompt']], true),
  rule('reveal-your-rules', 'extraction', 0.6, 3, ['reveal', 'you', 'instr'], true),
  rule('system-prompt', 'extraction', 0.5, 1, [
    ['system', 'prior'],
    ['promptWord', 'sysprompt'],
  ]),
  rule(
    'reveal-prompt-you-were-given',
    'extraction',
    1,
    3,
    ['reveal', 'promptWord', 'you', 'weakInstr'],
    true,
  ),
  rule('prompt-you-were-given', 'extraction', 0.6, 3, ['promptWord', 'you', 'weakInstr']),
  rule('what-are-your-instructions', 'extraction', 0.7, 3, [
    'what',
    'you',
    ['system', 'prior', 'newWord'],
    ['instr', 'weakInstr', 'sysprompt'],
  ]),
  rule('your-system-prompt', 'extraction', 0.5, 2, ['you', ['system', 'prior'], 'instr']),
  rule('repeat-all-above', 'extraction', 1, 4, ['recite', 'all', 'above'], true),
  rule('repeat-what-is-above', 'extraction', 0.7, 3, ['reveal', 'words', 'above'], true),
  rule('reveal-rules-you-were-given', 'extraction', 1, 3, ['reveal', 'instr', 'you', 'weakInstr'], true),
  rule('reveal-prompt', 'extraction', 0.5, 1, ['reveal', ['promptWord', 'sysprompt']], true),
  rule('your-prompt', 'extraction', 0.5, 1, ['you', ['promptWord', 'sysprompt']]),
  rule('verbatim-instructions', 'extraction', 0.6, 6, ['instr', 'verbatim']),
  rule('begin-with-you-are', 'extraction', 0.6, 3, ['reveal', 'words', 'begin'], true),
  // Addressed to a machine in a document
  rule('machine-order', 'indirect', 0.6, 6, [
    'machine',
    ['override', 'never'],
    ['instr', 'all', 'prior', 'secrecy'],
  ]),
  rule('machine-reader-must', 'indirect', 1, 3, ['machine', 'reader', 'oblige']),
  rule('reader-machine-must', 'indirect', 0.7, 5, ['reader', 'machine', 'oblige']),
  rule('machine-must-do', 'indirect', 0.6, 1, ['machine', 'oblige']),
  rule('machine-override', 'indirect', 0.6, 1, ['machine', 'override']),
  rule('keep-silent', 'indirect', 0.3, 1, ['never', 'secrecy']),
  rule('without-telling', 'exfiltration', 0.5, 2, ['without', 'secrecy', 'user']),
  rule('machine-must-override', 'indirect', 0.6, 6, ['machine', 'oblige', ['override', 'never']]),
  rule('machine-override-user', 'indirect', 0.8, 3, ['machine', 'override', 'user']),
  rule('machine-must', 'indirect', 0.5, 6, ['machine', 'reader', ['you', 'follow', 'override', 'send']]),
  rule('machine-instructions', 'indirect', 0.4, 3, [
    'instr',
    'machine',
    ['you', 'override', 'follow', 'send', 'reveal', 'never'],
  ]),
  rule('keep-from-user', 'indirect', 0.6, 2, ['never', 'secrecy', 'user']),
  // Exfiltration
  rule('send-secrets-away', 'exfiltration', 1, 8, ['send', ['secretData', 'sysprompt'], 'destination'], true),
  rule('send-away-secrets', 'exfiltration', 0.8, 14, ['send', 'destination', 'secretData'], true),
  rule(
    'reveal-and-send-secrets',
    'exfiltration',
    0.7,
    4,
    ['reveal', 'all', 'secretData', 'send', 'destination'],
    true,
  ),
  rule(
    'reveal-secrets',
    'exfiltration',
    0.5,
    3,
    ['reveal', 'all', ['secretData', 'system'], 'secretData'],
    true,
  ),
  // Encodings and splitting
  rule('decode-and-follow', 'encoding', 1, 9, [
    'decode',
    ['follow', 'act'],
    ['instr', 'weakInstr', 'all', 'what'],
  ]),
  rule('follow-decoded', 'encoding', 0.6, 8, ['follow', 'instr', 'decode'], true),
  rule('combine-and-follow', 'splitting', 1, 10, ['combine', 'parts', ['follow', 'act']]),
  rule('combine-and-do', 'splitting', 1, 8, ['combine', 'parts', 'doIt', 'what']),
  rule('combine-follow', 'splitting', 0.5, 8, ['combine', 'follow', ['instr', 'weakInstr', 'what']]),
  rule('send-secrets', 'exfiltration', 0.6, 8, ['send', 'secretData', 'destination']),
  rule('send-secrets-to-address', 'exfiltration', 0.5, 10, ['send', 'secretData', 'urlWord']),
  rule('secrets-sent', 'exfiltration', 0.6, 6, ['secretData', 'send', 'destination']),
  rule('secrets-sent-to-address', 'exfiltration', 0.5, 6, ['secretData', 'send', 'urlWord']),
  rule('all-sent-to-address', 'exfiltration', 0.6, 6, ['all', 'send', 'urlWord']),
  rule('your-new-task-is', 'override', 0.5, 2, [['you', 'newWord'], ['newWord', 'promptWord'], ['weakInstr', 'promptWord', 'override']]),
  rule('override-the-owner', 'override', 0.6, 4, ['override', ['instr', 'what'], 'authority'], true),
  rule('override-order', 'override', 0.15, 0, ['override'], true),
  rule('act-unbound', 'role-play', 0.8, 6, ['act', 'never', 'limits']),
  rule('act-machine-unbound', 'role-play', 0.3, 4, ['act', 'machine']),
  rule('instructions-to-machine', 'indirect', 0.5, 3, ['promptWord', 'machine']),
];
