import { loadConfig, toDeclarativeYaml, flattened } from '../src/index.ts';
import { catalog } from './catalog.ts';
const t = (n: string, f: () => unknown) => { const s = performance.now(); const r = f(); console.log(n, Math.round(performance.now()-s)+' ms'); return r as any; };
let y='_format_version: "3.0"\nservices:\n- name: s\n  url: http://x:80\nroutes:\n';
for (let i=0;i<10000;i++) y+=`- name: route-${i}\n  service: s\n  paths:\n  - /v1/thing/${i}\n  methods: [GET, POST]\n  strip_path: false\n  tags: [r1, public]\n  plugins:\n  - name: rate-limiting\n    config: {minute: ${i+1}, policy: redis}\n`;
const go = (text: string, o={}) => loadConfig({text}, catalog, {now:1, ...o});
let a = t('yaml 10k routes+10k plugins cold', () => go(y)); console.log(a.ok, a.state.size);
t('again', () => go(y)); t('with previous', () => go(y,{previous:a.state}));
const doc = t('GET /config', () => toDeclarativeYaml(a.state)); console.log(doc.length);
t('reload dump', () => go(doc)); t('flattened', () => JSON.stringify(flattened(a.state)));
const noplug = y.replace(/  plugins:\n  - name.*\n.*\n/g,''); t('10k routes only', () => go(noplug));
t('one error', () => go(y.replace('- /v1/thing/9999','- v1/thing/9999')));
t('all errors', () => { const r = go(y.replaceAll('- /v1','- v1')) as any; return JSON.stringify(r.error.toBody({flatten:true})).length; });
t('library fallback small anchor 10k', () => go('_x: &a 1\n'+y.replace('_format_version','_format_version')));
for (const [n, s] of Object.entries({
 'json 50MB garbage keys': '{'+Array.from({length:2_500_000},(_, i)=>`"key_${i}":"aaaaa"`).join(',')+'}',
 'json 50MB services': '{"_format_version":"3.0","services":['+'{"host":5,"x":1},'.repeat(3_000_000)+'{}]}',
 'yaml 50MB bad': 'a: b\n'.repeat(10_000_000),
 'yaml 50MB list': 'services:\n'+'- host: 5\n'.repeat(5_000_000),
 'yaml 3.9MB anchors': 'services:\n'+'- &a b\n'.repeat(500_000),
 'yaml 3.9MB unclosed': 'a: "'.repeat(900_000),
 'yaml 3.9MB many keys': Array.from({length:300_000},(_, i)=>`? k${i}\n`).join(''),
 'yaml 3.9MB colons': ': '.repeat(1_900_000), 'yaml dashes': '- '.repeat(1_900_000), 'yaml quest': '? '.repeat(1_900_000), 'flow': '{a: ['.repeat(20)+'x,'.repeat(1_900_000), 'spaces': ' '.repeat(3_900_000)+'x: &a 1', 'hash': 'a: &a '+'#'.repeat(3_800_000), 'bangs': '!'.repeat(3_900_000), 'pipe': 'a: |\n'+' \n'.repeat(1_900_000), 'nlflow': 'a: [\n'+'\n'.repeat(3_900_000),'plain spaces': 'a: x'+' '.repeat(3_900_000)+'y # \n &', 'squote':"a: '"+"''".repeat(1_900_000),
})) t(n, () => { const r = go(s) as any; return r.ok ? 1 : JSON.stringify(r.error.toBody({flatten:true})).length + r.error.problems.length; });
