"""Rays, the grid's frame, and what a known grid shows."""

import numpy as np
import pytest
import torch

from training.sa3d.field import RadianceField
from training.sa3d.frame import fit_frame
from training.sa3d.made_up import OBJECTS, arc_cameras, render
from training.sa3d.mask_grid import MaskGrid
from training.sa3d.scene import Camera, PosedImage
from zim_model.matting.metrics import iou


def posed(camera, name="view.png"):
    image, masks = render(camera)
    view = PosedImage(name, image, camera, (camera.height, camera.width))
    return view, masks


def known_field(frame, resolution=48):
    """Dense and red inside the made-up ball, empty and grey elsewhere."""
    ball = OBJECTS[0]
    axis = np.linspace(-1, 1, resolution)
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    world = frame.to_world(np.stack((x, y, z), -1).reshape(-1, 3))
    distance = np.linalg.norm(world - np.array(ball.centre), axis=1) - ball.radius
    raw = np.clip(-distance / 0.02, -1, 1) * 12
    field = RadianceField(resolution).requires_grad_(False)
    field.values[0, 0] = torch.tensor(raw.reshape((resolution,) * 3))
    field.values[0, 1:] = torch.tensor((6.0, -6.0, -6.0))[:, None, None, None]
    field.background[:] = torch.tensor((-6.0, -6.0, 6.0))
    return field


def test_a_camera_survives_the_layout_of_llff():
    camera = arc_cameras(3, 40, 30)[0]
    again = Camera.from_llff(camera.to_llff())
    assert np.allclose(again.rotation, camera.rotation)
    assert np.allclose(again.position, camera.position)
    assert (again.height, again.width, again.near) == (40, 40, camera.near)


def test_the_ray_of_a_pixel_reaches_the_point_that_it_shows():
    camera = arc_cameras(3, 64, 30)[2]
    point = np.array((0.2, -0.3, 0.5))
    right, down, depth = camera.rotation.T @ (point - camera.position)
    x = right / depth * camera.focal + 32
    y = down / depth * camera.focal + 32
    direction = camera.directions(np.array([x]), np.array([y]))[0]
    assert np.allclose(camera.position + depth * direction, point)


@pytest.mark.parametrize("degrees", [10, 80], ids=["frustum", "cube"])
def test_rays_are_straight_in_the_grid_and_inside_it(degrees):
    cameras = arc_cameras(5, 16, degrees)
    frame = fit_frame(cameras)
    camera = cameras[1]
    directions = camera.pixel_directions()
    starts, ends = frame.ray_segments(camera, directions)
    assert np.abs([starts, ends]).max() <= 1 + 1e-9
    middle = frame.to_world((starts + ends) / 2) - camera.position
    depth = middle @ camera.rotation[:, 2]
    assert np.allclose(middle, depth[:, None] * directions)
    points = np.array([(0.1, 0.2, 0.3), (-0.4, 0.1, 0.5)])
    assert np.allclose(frame.to_world(frame.to_grid(points)), points)
    assert np.abs(frame.to_grid(points)).max() < 1


def test_near_things_have_smaller_cells_in_a_frustum():
    cameras = arc_cameras(5, 16, 10)
    frame = fit_frame(cameras)
    middle = cameras[2]
    near, far = (
        middle.position + np.array((d, d + 0.1))[:, None] * middle.rotation[:, 2]
        for d in (middle.near, middle.far - 0.1)
    )
    near_cells, far_cells = (np.ptp(frame.to_grid(p)[:, 2]) for p in (near, far))
    assert near_cells > 3 * far_cells


@pytest.mark.parametrize("degrees", [10, 80], ids=["frustum", "cube"])
def test_a_known_grid_is_rendered_as_the_ball_that_it_holds(degrees):
    cameras = arc_cameras(5, 40, degrees)
    frame = fit_frame(cameras)
    field = known_field(frame)
    field.find_occupied()
    assert field.occupied.float().mean() < 0.2
    camera = cameras[3]
    ends = frame.ray_segments(camera, camera.pixel_directions())
    starts, ends = (torch.tensor(x, dtype=torch.float32) for x in ends)
    image = field.render(starts, ends).reshape(40, 40, 3).numpy()
    red = (image[..., 0] > 0.5) & (image[..., 2] < 0.5)
    middle, radius = np.array(OBJECTS[0].centre), OBJECTS[0].radius
    to_ball = middle - camera.position
    directions = camera.pixel_directions()
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    closest = np.linalg.norm(
        to_ball - (directions @ to_ball)[:, None] * directions, axis=1
    )
    assert iou(red, (closest < radius).reshape(40, 40)) > 0.8


def test_masks_of_some_views_give_the_mask_of_another():
    cameras = arc_cameras(5, 40, 60)
    frame = fit_frame(cameras)
    field = known_field(frame)
    field.find_occupied()
    grid = MaskGrid(field, frame)
    views = [posed(camera) for camera in cameras]
    for view, masks in (views[0], views[4]):
        grid.learn(
            grid.trace(view), torch.tensor(masks["ball"].ravel(), dtype=torch.float32)
        )
    view, masks = views[1]
    shown = (grid.render(grid.trace(view)) > 0).numpy().reshape(40, 40)
    visible = masks["block"] | masks["marble"]  # the known grid holds the ball alone
    assert iou(shown & ~visible, masks["ball"]) > 0.85
