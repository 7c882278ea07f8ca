/**
 * What words mean to the rules, in several languages: a rule speaks of concepts, so that it holds in each of them.
 * Words stand here as `fold` leaves them: lower case, without accents. A word may have several concepts.
 */
export const CONCEPTS = {
  override: `ignore ignoring ignored disregard disregarding forget overlook bypass override overriding overwrite discard
    neglect dismiss abandon erase nullify unlearn supersede circumvent disobey scrap ditch
    ignora ignorar ignorez ignore-les ignoriere ignorieren ignorier vergiss vergesse missachte missachten verwirf
    olvida olvidar olvide olvidate descarta descartar omite oublie oubliez oublier neglige negligez ecarte contourne
    desconsidere desconsidera esqueca esquece dimentica dimenticare dimenticate trascura scarta ignorate
    negeer vergeet zignoruj zapomnij pomin ignoruj zapomen yoksay unut gormezden bortse glom ignorera
    игнорируи игнорируите проигнорируи забудь забудьте отбрось отмени
    ігноруи забудь 忽略 无视 忘记 忘掉 不要理会 無視 忘れ 忘れて 無視して 무시 무시하고 무시해 잊어 잊고 تجاهل انس اهمل אל-תתייחס התעלם שכח
    अनदेखा भूल नजरअंदाज abaikan lupakan`,
  weakOverride: `skip drop void wipe clear reset delete remove disable suspend replace cancel revoke stop lift`,
  overrideLast: `yok
    無視 無視して 忘れ 忘れて 무시 무시하고 무시해 잊어 잊고 잊은 unut unutun yoksay gormezden अनदेखा भूल नजरअंदाज`,
  revealLast: `打印 打印出来 说出来 告诉我
    表示 教えて 出力 見せて 開示 보여줘 알려줘 출력 출력해 공개 goster acikla दिखाओ बताओ`,
  told: `told instructed programmed given gesagt detto dito dit dicho verteld dijeron powiedziano`,
  recite: `
    repeat copy echo print recite output transcribe dump`,
  phrasal: `set put throw cast lay push`,
  away: `aside away out overboard`,
  longer: `longer`,
  urlWord: `http https webhook ngrok pastebin mailto`,
  oblige: `must should shall ought required muss debe doit deve`,
  promptWord: `प्रॉम्प्ट promptu istem istemini talimat
    prompt prompts instruction instructions programming preprompt directives instrucciones consignes anweisungen
    anweisung instrucoes istruzioni instructies instrukcje polecenia talimatlari talimatlar инструкции промпт 指令 提示
    提示词 プロンプト 指示 프롬프트 지시 지침 التعليمات ההוראות निर्देश instruksi`,
  doIt: `do does perform`,
  prior: `vorher eben zuvor
    hierboven 今まで 지금까지 ऊपर yukaridaki eerder
    previous previously prior above earlier preceding foregoing before existing original initial former past
    aforementioned precedent preceeding hitherto
    anteriores anterior previas previos previa previo precedentes precedente precedents precedent prealable
    vorherigen vorherige vorigen bisherigen bisherige fruheren obigen oben vorangegangenen
    precedenti anteriori sopra prima dessus avant antes acima vorige eerdere bovenstaande poprzednie poprzednich
    powyzsze wczesniejsze onceki yukaridaki tidigare ovan предыдущие предыдущих прежние прежних выше попередні
    之前 以前 上述 先前 前面 以上 上面 前の 以前の 上記 これまで 이전 앞선 위의 기존 السابقة السابق אלעיל הקודמות קודמות
    पिछले पिछली sebelumnya diatas`,
  all: `al ogni tuttele cada
    all any every everything each entire whatever anything todas todos todo tout toute toutes tous alle alles
    samtliche tutte tutti tutto todas-as wszystkie wszystkich tum butun alla все всех всё усі 所有 一切 全部 すべて 全て
    모든 모두 جميع كل כל सभी semua`,
  instr: `zasadach zasad नियम
    instruction instructions rules guideline guidelines directive directives prompt prompts
    constraint constraints restriction restrictions programming guidance policy policies safeguard safeguards
    guardrail guardrails filters protocols limitations conditioning briefing mandate mandates preprompt
    instrucciones instruccion reglas ordenes directrices indicaciones instructions consignes regles directives ordres
    anweisungen anweisung regeln vorgaben richtlinien befehle instruktionen instrucoes instrucao regras diretrizes
    ordens istruzioni regole direttive comandi instructies regels richtlijnen instrukcje instrukcji polecenia zasady
    talimatlari talimatlar kurallari instruktioner regler инструкции инструкции инструкциям указания правила
    інструкції вказівки 指令 指示 规则 提示 提示词 命令 规定 指示を ルール 命令 プロンプト 지시 지시사항 지침 명령 규칙 프롬프트
    التعليمات تعليمات الاوامر القواعد ההוראות הוראות הנחיות निर्देश निर्देशों instruksi perintah aturan`,
  weakInstr: `dito ditto
    command commands orders instructed ordered programmed job goal purpose mission verteld detto gesagt dicho dijeron dit powiedziano got
    context conversation message messages training text input everything-else content task tasks directions
    settings persona identity role said told given received`,
  newWord: `new real actual updated true revised nueva nuevas nuevo nouvelles nouvelle neue neuen neues novas nova nuove
    nuovo nieuwe nowe yeni новые новая новое нові 新的 新しい 새로운 الجديدة חדשות नए baru`,
  you: `je jullie
    tue tuoi
    you your yourself thou thy ur u tu vous votre vos du dein deine deinen ihre sie usted tus su sus voce seu sua
    seus tuo tue tuoi jij jouw twoj twoje sen senin ты твои твоя ваши вы ти твої 你 你的 您 あなた あなたの 너 너의 당신 당신의
    انت لك אתה שלך तुम आपके anda kamu`,
  reveal: `copy paste
    reveal show print repeat output display leak tell give share disclose dump recite expose divulge echo
    transcribe reproduce quote summarize paraphrase translate spell list provide write return publish read
    revela revelar muestra mostrar muestrame imprime repite comparte revele revelez montre montrez affiche affichez
    repete repetez donne donnez zeige zeig offenbare wiederhole verrate nenne gib drucke revele mostre imprima repita
    compartilhe rivela mostra mostrami stampa ripeti toon herhaal onthul pokaz ujawnij powtorz goster acikla visa
    avsloja покажи покажите раскрои повтори выведи напечатаи покажи 显示 透露 输出 打印 重复 告诉我 告诉 泄露 表示 教えて 出力
    見せて 開示 보여줘 알려줘 출력 공개 اظهر اكشف اعرض הצג גלה दिखाओ बताओ tampilkan tunjukkan`,
  what: `what whats which how describe explain que quelles quelles quel was wie quais quali какие что 什么 何 무엇 ما`,
  system: `exact full complete
    system hidden secret initial original confidential internal underlying developer backend base core
    sistema systeme secretas ocultas cachees geheimen verborgenen ursprunglichen interne secretas ocultas nascoste
    segrete systemu ukryte sistem gizli системные системныи системную скрытые 系统 隐藏 システム 内部 秘密 시스템 숨겨진
    النظام המערכת सिस्टम`,
  sysprompt: `सिस्टमप्रॉम्प्ट
    systemprompt preprompt metaprompt systemnachricht systemanweisung systemanweisungen systemmeldung
    systempromt sysprompt 系统提示 系统提示词 システムプロンプト 시스템프롬프트`,
  verbatim: `verbatim exactly literally wortlich wort textuellement textualmente literal palabra word-for-word
    дословно 逐字 一字不差 原文`,
  act: `activate enable enter switch act pretend roleplay role-play impersonate simulate behave imagine become play emulate portray embody actua
    finge simula comportate agis simule imagine spiele verhalte simuliere handle aja finja simule agisci fingi
    interpreta doe gedraag udawaj zachowuj davran веди притворись представь 扮演 假装 模拟 假设 なりきって 演じて ふりをして
    연기해 행동해 역할 تظاهر تصرف`,
  nowWord: `now henceforth onwards onward hereafter forth ahora desormais maintenant jetzt ab agora adesso ora nu teraz
    artik simdi теперь отныне сеичас 现在 从现在起 从现在开始 これから 今から 이제 이제부터 지금부터 الان עכשיו अब sekarang`,
  unrestricted: `unrestricted uncensored unfiltered unlimited jailbroken amoral unethical limitless unbound unchained
    unshackled lawless restrictionless censorship-free filterless sin-restricciones uneingeschrankt unzensiert
    irrestrito senza-filtri ohne-einschrankungen zensurfrei без-ограничении неограниченныи 不受限制 没有限制 无限制 無制限
    제한없는`,
  without: `without no zero free lacking absent beyond sin sans ohne sem senza zonder bez без 没有 不受 なし なく 없이 بدون`,
  limits: `restriction restrictions filter filters limit limits limitation limitations rule rules censorship ethics ethical
    morals moral boundaries safety guidelines policy policies constraints guardrails safeguards disclaimers warnings
    restricciones limites filtros restrictions limites filtres einschrankungen filter grenzen regeln restricoes
    restrizioni limiti filtri beperkingen ograniczen ограничении фильтров 限制 审查 规则 道德 制限 制約 제한 검열 قيود`,
  jailbreak: `dan jailbreak jailbroken stan dude aim evilbot devmode godmode maximum antigpt chaosgpt freedomgpt`,
  modeWord: `mode modus modo режим режиме 模式 モード 모드 persona`,
  privileged: `developer debug god sudo admin administrator root dan unrestricted maintenance diagnostic override
    unlocked opposite evil jailbreak dev superuser entwickler desarrollador developpeur desenvolvedor sviluppatore
    разработчика 开发者 开发 管理员 開発者 管理者 개발자 관리자`,
  refuse: `refuse refusing decline apologize reject say deny warn verweigern ablehnen negarte refuser recusar
    отказываться 拒绝 拒否 거부`,
  never: `never not cannot cant dont not must-not shall-not wont neither nunca jamais nie niemals nicht no-debes mai
    nigdy никогда не 不要 不能 永远不 不得 決して 절대 لا אל मत jangan`,
  follow: `答えて 대답해 대답하
    follow obey comply execute adhere perform carry respond answer treat honor implement run sigue obedece ejecuta
    suis suivez obeis execute folge befolge fuhre siga obedeca segui esegui volg wykonaj следуи выполняи выполни
    遵循 执行 服从 遵守 従って 実行 따르 실행 اتبع נפד`,
  only: `only exclusively solely instead unicamente seulement nur apenas somente solo zamiast только 只 仅 だけ 만`,
  machine: `ai assistant llm chatbot model gpt chatgpt claude gemini bot agent agents assistants models summarizer copilot
    language-model ki kunstliche asistente modelo modele assistente modello asystent yapay ассистент модель ии 助手 模型
    人工智能 アシスタント 모델 어시스턴트 المساعد`,
  reader: `evaluated reviewed processed summarized summarised summarising read parsed
    reading processing summarizing parsing analyzing reviewing ingesting screening evaluating indexing translating`,
  secrecy: `tell mention inform alert notify disclose reveal acknowledge reference warn say show`,
  user: `user users human humans customer reader recipient operator anyone usuario utilisateur benutzer nutzer usuario
    utente gebruiker uzytkownik пользователю пользователь 用户 ユーザー 사용자 المستخدم`,
  send: `export hand transfer put place send post forward upload transmit email mail exfiltrate submit append embed leak pass deliver relay encode include
    insert attach fetch call request curl load render visit copy envia enviar publica envoie envoyez transmets sende
    schicke ubermittle envie invia stuur wyslij отправь отправьте перешли 发送 上传 转发 送信 送って 보내 전송 ارسل שלח kirim`,
  secretData: `password passwords credential credentials secret secrets token tokens key keys apikey cookie cookies
    environment env history transcript conversation emails inbox contacts ssn variables private confidential
    contrasena contrasenas mots-de-passe historique passworter zugangsdaten verlauf senhas historico cronologia
    пароли пароль историю 密码 密钥 历史 对话 パスワード 履歴 비밀번호 대화 كلمات`,
  destination: `http https url link webhook endpoint server attacker address site domain image markdown pixel query ftp
    email mailto telegram discord pastebin ngrok`,
  decode: `decode decrypt decipher unscramble deobfuscate reverse rot13 base64 hex morse binary caesar cipher encoded
    decodifica decode dekodiere entschlussle decodifique раскодируи расшифруи 解码 解密 デコード 디코딩`,
  combine: `combine concatenate join merge assemble concat append glue stitch put piece kombiniere combina concatena
    joindre assemble соедини объедини 拼接 合并 组合 連結 결합`,
  parts: `parts pieces fragments variables strings halves chunks segments letters first second a b x y part1 part2 teile
    partes morceaux части 部分 片段 変数 변수 조각`,
  begin: `begin starting start beginning starts begins commencing`,
  above: `above preceding top prior before earlier up verbatim`,
  words: `content
    words text everything sentence paragraph lines line content message characters tokens`,
  override2: `matters matter apply applies updated changed gone
    superseded supersede overridden obsolete deprecated cancelled canceled void invalid lifted suspended
    outdated revoked expired disabled removed waived annulled`,
  authority: `administrator admin developer openai anthropic google engineer engineers staff creator creators owner
    superuser root vendor operator ceo security-team`,
  harmful: `bomb explosive explosives malware ransomware meth methamphetamine weapon weapons poison phishing keylogger
    illegal hack exploit steal drugs napalm virus counterfeit`,
  discuss: `injection injections attack attacks attacker attackers example examples phrase phrases article blog paper
    research detect detects detection detector classifier training owasp vulnerability vulnerabilities awareness course
    lecture webinar lesson slides talk chapter threat threats security defend defence defense mitigate mitigation
    prevent prevents jailbreaks jailbreaking dataset regex unittest fixture testcase documentation docs quote quoted
 malicious suspicious reported beispiel angriff angriffe ejemplo ataque
    ataques exemple attaque attaques esempio attacco пример атака атаки 攻击 注入 例子 攻撃 例 공격 예시 phishing-mail expect assert blocked label report phishing`,
  /** Who is told of, and what he is told to have done: a report is not an order. */
  villain: `attacker attackers hacker hackers scammer scammers fraudster fraudsters phisher phishers intruder intruders criminal
    criminals adversary`,
  deed: `tried attempted managed wanted asked sent hid planted posted tricked persuaded convinced used wrote`,
} as const;

/** A concept's name. */
export type Concept = keyof typeof CONCEPTS;
