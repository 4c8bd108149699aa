app-name = منارة
tagline = البرج الذي يُنذر
skip-to-content = انتقل إلى المحتوى
nav-search = بحث
nav-records = السجلات
nav-import = استيراد
nav-log-out = تسجيل الخروج
nav-language = اللغة
login-title = تسجيل الدخول
login-email = البريد الإلكتروني
login-password = كلمة المرور
login-button = دخول
login-failed = البريد الإلكتروني أو كلمة المرور أو الرمز غير صحيح.
login-code = الرمز
login-code-hint = فقط إذا أُعِدّ عامل تحقق ثانٍ: الأرقام الستة التي يعرضها تطبيقك.
login-wait = محاولات فاشلة كثيرة. أعد المحاولة بعد { $seconds } ثانية.
search-title = ماذا لديك؟
search-hint = ألصق أي شيء: عنوانًا أو اسم نطاق أو بصمة ملف، أو رسالة أو تقريرًا كاملًا. الصيغ المعطَّلة مفهومة.
search-label = قيم أو نص
search-button = ابحث
search-nothing = لا توجد في هذا النص قيمة معروفة هنا.
search-words = العناوين والتعليقات التي تضم هذه الكلمات
answer-unknown = غير معروفة هنا
answer-records = { $count ->
    [zero] لا سجلات
    [one] سجل واحد
    [two] سجلان
    [few] { $count } سجلات
    [many] { $count } سجلًا
   *[other] { $count } سجل
  }
answer-more = وأكثر
answer-first-seen = أول ظهور
answer-last-seen = آخر ظهور
answer-sightings = شوهدت { $seen }، إنذار كاذب { $false }، منتهية { $expired }
answer-warning = ضمن قائمة التحذير
answer-within = ضمن
answer-detect = مطلوب كشفها
value = القيمة
type = النوع
records-title = السجلات
records-none = لا سجلات بعد. ابدأ بالاستيراد.
records-next = سجلات أقدم
record-title = العنوان
record-kind = الصنف
record-owner = لدى
record-author = الكاتب
record-tlp = TLP
record-created = أُنشئ
record-received = وصل
record-version = الإصدار
record-parts = الأجزاء
record-tags = الوسوم
record-marking = التأشير
record-redacted = حُجب عنك جزء من هذا السجل.
record-audience = من يجوز له أن يراه
record-audience-public = العموم
record-yes = نعم
record-no = لا
record-why = السبب
why-owner = السجل لديها.
why-cleared = كل القواعد تسمح بذلك.
why-embargo = لم ينتهِ حظر نشره.
why-unmarked = بلا تأشير: للمؤسسة التي لديها السجل فقط.
why-distribution = نطاق توزيعه لا يصل إلى هذا الحد.
why-sharing-group = مشارَك مع مجموعة ليست من أعضائها.
why-recipients = حُدِّد متلقوه بالاسم، وليست منهم.
why-tlp = مستوى TLP لا يسمح بذلك.
why-pap = مستوى PAP لا يسمح بذلك.
why-agreement = الاتفاق مع هذا النظير لا يسمح بذلك.
record-correlations = ظهرت في سجلات أخرى
record-no-correlations = لا توجد أي من قيمه في سجل آخر يجوز لك أن تراه.
record-others = { $count ->
    [zero] لا سجل آخر
    [one] سجل آخر واحد
    [two] سجلان آخران
    [few] { $count } سجلات أخرى
    [many] { $count } سجلًا آخر
   *[other] { $count } سجل آخر
  }
record-content = المحتوى
record-more-parts = تظهر أول { $count } من الأجزاء فقط.
record-export = أخرجه بصيغة
unmarked = بلا تأشير
import-title = استيراد
import-hint = ‏MISP وSTIX وCSAF وCSV وقوائم ورسائل وتقارير: تُعرف الصيغة تلقائيًا.
import-text = نص
import-file = أو ملف
import-tlp = TLP
import-tlp-none = كما يذكر عن نفسه (بلا تأشير: مؤسستك فقط)
import-distribution = التوزيع
import-distribution-5 = كما يذكر عن نفسه
import-distribution-0 = مؤسستنا فقط
import-distribution-1 = مؤسسات هذه العقدة
import-distribution-2 = والعقد المتصلة أيضًا
import-distribution-3 = كل المجتمعات
import-button = استورد
import-done = قُرئ بصيغة { $format }
import-added = أُضيف
import-updated = حُدِّث
import-unchanged = لم يتغير
import-observables = القيم
import-rejected = لم يُقبل
import-reader = دورك للقراءة، لا للاستيراد.
account-title = حسابك
account-org = المؤسسة
account-role = الدور
account-sessions-hint = يسجّل خروجك في كل مكان، وهنا أيضًا.
account-sessions-end = تسجيل الخروج من كل مكان
account-sessions-ended = سُجّل خروجك من كل مكان.
account-change = تغيير
account-wrong = كلمة المرور أو الرمز غير صحيح؛ لم يتغير شيء.
account-once = يُعرض هذا مرة واحدة. احفظه في مكان آمن.
account-password = كلمة المرور
account-password-now = كلمة مرورك الحالية
account-password-new = كلمة المرور الجديدة
account-password-hint = اثنا عشر حرفًا على الأقل؛ عدة كلمات يسهل تذكرها. تنتهي الجلسات.
account-password-change = تغيير كلمة المرور
account-password-changed = تغيّرت كلمة المرور؛ سجّل الدخول مجددًا.
account-factor = عامل تحقق ثانٍ
account-factor-hint = يعرض تطبيق على هاتفك رمزًا يُطلب عند كل دخول. العامل الجديد يحل محل السابق.
account-factor-add = إعداد عامل تحقق ثانٍ
account-factor-added = أُعِدّ عامل التحقق الثاني؛ سجّل الدخول مجددًا.
account-factor-secret = أدخل هذا في التطبيق، نصًا أو عنوانًا:
account-factor-remove = إزالته
account-factor-removed = أُزيل عامل التحقق الثاني.
account-keys = مفاتيح الواجهة البرمجية
account-key = مفتاح الواجهة البرمجية
account-key-note = الغرض
account-key-rights = الصلاحيات
account-key-days = عدد الأيام حتى انتهائه
account-key-ends = ينتهي
account-key-add = إنشاء مفتاح
account-key-added = أُنشئ مفتاح.
account-key-revoke = إبطال
account-key-revoked = أُبطل المفتاح.
account-key-over = مُبطَل
error-title = لم ينجح ذلك
error-back = العودة إلى البحث
footer = منارة. لا يغادر هذه العقدة إلا ما أذن به مالكها.
