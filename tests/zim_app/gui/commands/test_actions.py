from zim_app.gui.commands import actions
from zim_app.gui.icons import icon


def test_every_action_is_in_a_menu_once(window):
    entries = [entry for _, menu in actions.MENUS for entry in menu]
    entries += [entry for menu in actions.SUBMENUS.values() for entry in menu]
    named = [e for e in entries if e != actions.SEPARATOR and e[0] != "@"]
    assert sorted(named) == sorted(window.actions_by_id)


def test_tool_bar_entries_exist(window):
    extra = {actions.SEPARATOR, actions.STRETCH, "@background"}
    assert set(actions.TOOL_BAR) - extra <= set(window.actions_by_id)


def test_tool_tips_name_the_key(window):
    for spec in actions.ACTIONS:
        action = window.actions_by_id[spec.id]
        assert action.toolTip()
        if spec.keys:
            assert action.toolTip().endswith(f"({action.shortcut().toString()})")


def test_icons_are_drawn_in_their_colour(qapp):
    for spec in actions.ACTIONS:
        if spec.icon:
            image = icon(spec.icon, "#ff0000", "#00ff00").pixmap(32, 32).toImage()
            colours = {
                image.pixelColor(x, y).name()
                for x in range(image.width())
                for y in range(image.height())
                if image.pixelColor(x, y).alpha() == 255
            }
            assert colours == {"#ff0000"}, spec.icon
