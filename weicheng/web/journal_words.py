"""The verbs and things of the journal in the reader's words; a test finds a verb of ours that has none."""

import json
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from weicheng.journal.models import Entry
from weicheng.rules.cases import MOVE_LABELS

KINDS = {
    "case": _("事项"),
    "hotspot": _("重点地段"),
    "finding": _("问题"),
    "visit": _("检查"),
    "round": _("检查任务"),
    "card": _("黄牌"),
    "attachment": _("附件"),
    "unit": _("单位"),
    "area": _("区划"),
    "charge": _("包抓联络"),
    "user": _("人员"),
    "post": _("岗位"),
    "token": _("访问令牌"),
    "edition": _("标准版本"),
    "document": _("文书"),
    "board": _("考评"),
    "appeal": _("申诉"),
    "job": _("任务"),
    "notice": _("通知"),
    "site": _("本站"),
    "worker": _("后台进程"),
    "periodic": _("定时任务"),
    "task": _("后台任务"),
}

_VERBS = {
    "case.handover": _("移交事项"),
    "case.link": _("生成办理链接"),
    "case.unlink": _("撤销办理链接"),
    "hotspot.list": _("列入重点地段"),
    "hotspot.back": _("重新列入重点地段"),
    "hotspot.fade": _("重点地段自动移出"),
    "hotspot.guard": _("布置重点地段防控"),
    "hotspot.take_off": _("移出重点地段"),
    "finding.record": _("上报问题"),
    "visit.record": _("登记检查"),
    "visit.answer": _("填写检查表"),
    "visit.end": _("结束检查"),
    "round.plan": _("建立检查任务"),
    "round.change": _("修改检查任务"),
    "round.draw": _("抽取检查地点"),
    "round.assign": _("改派检查人"),
    "round.publish": _("公布检查任务"),
    "card.issue": _("发黄牌"),
    "card.plan": _("填写整改方案"),
    "card.lift": _("摘黄牌"),
    "attachment.add": _("添加附件"),
    "attachment.read": _("查看附件"),
    "attachment.void": _("作废附件"),
    "unit.create": _("登记单位"),
    "unit.change": _("修改单位"),
    "unit.close": _("注销单位"),
    "unit.merge": _("合并单位"),
    "unit.import": _("导入单位"),
    "unit.read_contact": _("查看联系方式"),
    "area.init": _("载入区划"),
    "area.open": _("设立区划"),
    "area.close": _("撤销区划"),
    "area.merge": _("并入区划"),
    "area.move": _("改隶区划"),
    "area.rename": _("区划更名"),
    "area.create_grids": _("划分网格"),
    "charge.set": _("安排包抓联络"),
    "charge.change": _("修改包抓联络"),
    "charge.end": _("结束包抓联络"),
    "charge.cancel": _("撤销包抓联络"),
    "user.create": _("建立人员"),
    "user.change": _("修改人员"),
    "user.activate": _("恢复人员"),
    "user.deactivate": _("停用人员"),
    "user.change_password": _("修改密码"),
    "user.reset_password": _("重置密码"),
    "post.give": _("任命岗位"),
    "post.end": _("结束岗位"),
    "session.begin": _("登录"),
    "session.end": _("退出"),
    "session.end_others": _("结束其他登录"),
    "token.issue": _("签发令牌"),
    "token.revoke": _("吊销令牌"),
    "edition.draft": _("起草版本"),
    "edition.change": _("修改草稿"),
    "edition.drop": _("删除草稿"),
    "edition.discard": _("放弃草稿"),
    "edition.publish": _("发布版本"),
    "edition.load": _("载入版本"),
    "document.draft": _("起草文书"),
    "document.change": _("修改文书"),
    "document.count": _("重新统计文书"),
    "document.check": _("审核文书"),
    "document.return": _("退回文书"),
    "document.issue": _("签发文书"),
    "document.withdraw": _("撤回文书"),
    "document.drop": _("废弃文书草稿"),
    "board.make": _("新建考评"),
    "board.compute": _("计算考评"),
    "board.beside": _("试算对照"),
    "board.enter": _("录入分值"),
    "board.confirm": _("确认公示"),
    "board.publish": _("公布考评"),
    "appeal.file": _("提出申诉"),
    "appeal.decide": _("答复申诉"),
    "job.start": _("开始任务"),
    "mail.fail": _("邮件未送达"),
    "worker.error": _("后台出错"),
    "site.restore": _("恢复备份"),
}


def verbs() -> dict[str, str]:
    """Return verb → what it is called, the moves of a case included."""
    moves = {
        f"case.{move.value}": f"{gettext('事项')}：{gettext(label)}" for move, label in MOVE_LABELS.items()
    }
    return {**moves, **{verb: str(label) for verb, label in _VERBS.items()}}


def verb_of(entry: Entry) -> str:
    """Return what an entry did; the verb itself where no word is known."""
    return verbs().get(entry.verb, entry.verb)


def thing_of(entry: Entry) -> str:
    """Return on what kind of thing."""
    return str(KINDS.get(entry.object_kind, entry.object_kind))


def particulars(entry: Entry) -> list[tuple[str, str]]:
    """Return the particulars of an entry as (name, value) lines, in the order of the stored bytes."""
    detail = json.loads(bytes(entry.body)).get("detail") or {}
    return [(name, _written(value)) for name, value in detail.items()]


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
